"""What single records mean, on recordings built by hand."""

import struct

import pytest

from kprof._native._perf import PerfReader
from kprof.errors import FormatError


def places(profile, row=0):
    """Paths and offsets of a sample's frames, root first."""
    node, found = int(profile.samples.stack[row]), []
    while node >= 0:
        frame = int(profile.stacks.frame[node])
        mapping = int(profile.frames.mapping[frame])
        path = profile.mappings.path[mapping] if mapping >= 0 else profile.frames.name[frame]
        found.append((path, int(profile.frames.address[frame])))
        node = int(profile.stacks.parent[node])
    return found[::-1]


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_chain_in_either_byte_order(r, start, read, order):
    profile = read(start(order).sample(7, [r.USER, 0x1010, 0x1020]))
    assert profile.comms[profile.samples.comm[0]] == "app"
    assert places(profile) == [("/bin/app", 0x51F), ("/bin/app", 0x510)]
    assert read(start(order).sample(7, [r.USER, 0x1010, 0x1020]), compat="perf").frames.address[1] == 0x520


def test_flags_of_the_other_byte_order(r, base, start, read):
    made = start(">", base | r.TIME, flags=r.ID_ALL | r.FREQ, period=4000)
    body = made.words(0x1010) + made.ints(7, 7) + made.words(99, 1, 0x1010)
    profile = read(made.record(9, body), every_sample=True)
    assert profile.samples.time_ns.tolist() == [99]
    assert profile.samples.weight.tolist() == [1]


def test_a_fixed_period_is_the_weight(r, start, read):
    assert read(start(period=250).sample(7, [r.USER, 0x1010])).total == 250


def test_an_exec_replaces_what_was_mapped(r, start, read):
    made = start().comm(7, b"new", misc=2 | 1 << 13).mmap(7, 0x5000, 0x1000, b"/bin/new")
    made.sample(7, [r.USER, 0x5010, 0x1010])
    assert places(read(made)) == [("[unknown]", 0), ("/bin/new", 0x10)]
    assert places(read(made, addresses=True))[0] == ("[unknown]", 0x100F)
    assert places(read(made, compat="perf")) == [("/bin/app", 0x510), ("/bin/new", 0x10)]


def test_within_an_exec_the_process_still_is_at_the_call_of_the_program_before(r, start, read):
    made = start().comm(7, b"new", misc=2 | 1 << 13).mmap(7, 0x5000, 0x1000, b"/bin/new")
    made.sample(7, [r.KERNEL, 2**64 - 8192, r.USER, 0x1010], ip=2**64 - 8192, misc=1)
    made.sample(7, [r.USER, 0x5010]).sample(7, [r.USER, 0x1010])
    profile = read(made, every_sample=True)
    assert [places(profile, i)[0] for i in range(3)] == [
        ("/bin/app", 0x510),
        ("/bin/new", 0x10),
        ("[unknown]", 0),
    ]


def test_a_mapping_cuts_those_that_it_covers(r, start, read):
    made = start().mmap(7, 0x1400, 0x100, b"/lib/x")
    made.sample(7, [r.USER, 0x13F0]).sample(7, [r.USER, 0x1410]).sample(7, [r.USER, 0x1600])
    profile = read(made, every_sample=True)
    assert [places(profile, i)[0] for i in range(3)] == [
        ("/bin/app", 0x8F0),
        ("/lib/x", 0x10),
        ("/bin/app", 0xB00),
    ]


ASKED, BUILD_ID = 1 << 34, bytes(range(20))


@pytest.mark.parametrize(
    ("flags", "file", "found"),
    [
        (ASKED, struct.pack("<I", 20) + BUILD_ID, BUILD_ID.hex()),
        (ASKED, struct.pack("<I", 8) + BUILD_ID, BUILD_ID[:8].hex()),
        (0, struct.pack("<I", 20) + BUILD_ID, BUILD_ID.hex()),  # put in later, by perf inject
        (0, struct.pack("<I", 8) + BUILD_ID, ""),  # device 8:…, flagged by the kernel for somebody else
        (0, struct.pack("<I", 254) + BUILD_ID, ""),
        (ASKED, struct.pack("<I", 254) + BUILD_ID, ""),
        (ASKED, struct.pack("<I", 0x114) + BUILD_ID, ""),
    ],
)
def test_a_device_is_no_build_id_though_the_kernel_says_so(r, base, read, flags, file, found):
    made = r.Recording("<").event(base, flags=flags).comm(7, b"app")
    body = made.ints(7, 7) + made.words(0x1000, 0x1000, 0) + file + made.ints(5, 2) + b"/bin/app\0"
    made.record(10, body + bytes(-len(body) % 8), misc=2 | 1 << 14)
    profile = read(made.sample(7, [r.USER, 0x1010]))
    assert places(profile) == [("/bin/app", 0x10)]
    assert profile.mappings.build_id[0] == found


def test_a_child_has_the_mappings_and_the_name_of_its_parent_until_it_changes_them(r, start, read):
    made = start()
    made.record(7, made.ints(8, 7, 8, 7) + made.words(0))
    made.mmap(8, 0x1000, 0x1000, b"/bin/child")
    made.sample(7, [r.USER, 0x1010]).sample(8, [r.USER, 0x1010])
    profile = read(made, every_sample=True)
    assert places(profile, 0) == [("/bin/app", 0x510)]
    assert places(profile, 1) == [("/bin/child", 0x10)]
    assert profile.comms[profile.samples.comm[1]] == "app"


def test_leader_sampling_counts_for_every_event_of_the_group(r, read):
    made = r.Recording()
    kinds = r.IP | r.TID | r.READ | r.CALLCHAIN | r.IDENTIFIER
    for number in (1, 2, 3):
        made.event(kinds, [number], read_format=4 | 8)
    made.comm(7, b"app")
    for first, second in ((100, 5), (150, 5)):
        head = made.words(1, 0x1010) + made.ints(7, 7)
        made.record(9, head + made.words(3, first, 1, second, 2, 0, 3) + made.words(2, r.USER, 0x1010))
    profile = read(made, every_sample=True)
    got = sorted(zip(profile.samples.event.tolist(), profile.samples.weight.tolist(), strict=True))
    assert got == [(0, 50), (0, 100), (1, 5)]


@pytest.mark.parametrize("ids", [True, False])
def test_inherited_counters_of_a_group_are_those_of_one_thread_each(r, read, ids):
    made = r.Recording()
    for number in (1, 2):
        made.event(
            r.IP | r.TID | r.READ | r.CALLCHAIN | r.IDENTIFIER, [number], read_format=4 | 8, flags=1 << 1
        )
    made.comm(7, b"app")
    for tid, first, second in ((7, 100, 5), (8, 1000, 50), (7, 150, 6), (8, 1001, 52)):
        head = made.words(1, 0x1010) + made.ints(7, tid)
        made.record(9, head + made.words(2, first, 1, second, 2) + made.words(2, r.USER, 0x1010))
    samples = read(made, ids=ids).samples
    assert [int(samples.weight[samples.event == event].sum()) for event in (0, 1)] == [1151, 58]


@pytest.mark.parametrize(
    ("chain", "ip", "misc", "leaf"),
    [
        ([0x1210, 0x1], 0x120C, 2, 0x70C),
        ([0x1210, 0x1], 2**64 - 8192, 1, 0x710),
        ([], 2**64 - 8192, 1, 0x700),
    ],
)
def test_branches_of_a_call_stack_are_callers_of_where_the_sample_is(
    r, base, start, read, chain, ip, misc, leaf
):
    made = start(sample_type=base | r.BRANCH_STACK, branches=1 << 11)
    branches = made.words(2, 0x1100, 0x1200, 0, 0x1300, 0x1100, 0)
    made.sample(7, [r.USER, *chain], ip=ip, misc=misc, after=branches)
    assert [offset for _, offset in places(read(made))] == [0x800, 0x600, leaf]
    assert [offset for _, offset in places(read(made, compat="perf"))] == [0x800, 0x600, 0x700]


@pytest.fixture
def copy_of_a_stack(r, base, start):
    def build(sp_bit, pc_bit, abi, order="<"):
        kinds = base | r.REGS_USER | r.STACK_USER
        made = start(order, sample_type=kinds, registers=1 << sp_bit | 1 << pc_bit)
        registers = [0x7000, 0x1020] if sp_bit < pc_bit else [0x1020, 0x7000]
        dump = made.words(abi, *registers, 8, 0, 8)
        return made.sample(7, (), ip=0x1010, after=dump)

    return build


@pytest.mark.parametrize("order", ["<", ">"])
def test_registers_are_those_of_the_machine_that_was_recorded(copy_of_a_stack, read, order):
    arm = copy_of_a_stack(31, 32, 2, order)
    assert places(read(arm.file(f6=arm.text("aarch64"))))[-1] == ("/bin/app", 0x520)
    intel = copy_of_a_stack(7, 8, 2, order)
    assert places(read(intel.file(f6=intel.text("x86_64"))))[-1] == ("/bin/app", 0x520)
    assert places(read(intel))[-1] == ("/bin/app", 0x520)


@pytest.mark.parametrize(("arch", "abi"), [("riscv64", 2), ("armv7l", 1), ("aarch64", 1)])
def test_stacks_of_machines_that_are_not_unwound_are_their_leaf(copy_of_a_stack, read, arch, abi):
    made = copy_of_a_stack(7, 8, abi)
    profile = read(made.file(f6=made.text(arch)))
    assert places(profile) == [("[truncated]", 0), ("/bin/app", 0x510)]


def test_a_hardware_trace_is_passed_over_and_named(r, start, read):
    made = start().record(71, start().words(24, 0, 0) + bytes(16))
    made.parts.append(b"\1" * 24)
    profile = read(made.sample(7, [r.USER, 0x1010]))
    assert profile.meta.quality.read == 1
    assert "hardware trace" in profile.meta.facts
    assert "hardware trace" not in read(start()).meta.facts


def test_frames_of_a_guest_are_of_no_file_of_the_host(start, read):
    guest_kernel, guest_user = 2**64 - 2176, 2**64 - 2560
    made = start().mmap(-1, 0x1000, 0x1000, b"[guest.kernel.kallsyms]", misc=4)
    profile = read(made.sample(7, [guest_kernel, 0x1010, guest_user, 0x1020], misc=4), addresses=True)
    assert places(profile) == [("[unknown]", 0x1020), ("[unknown]", 0x1010)]


def test_a_chain_as_long_as_may_be_is_marked_as_cut(r, start, read):
    profile = read(start(max_stack=2).sample(7, [r.USER, 0x1010, 0x1020]))
    assert places(profile)[0][0] == "[truncated]"
    assert profile.meta.quality.truncated == 1


def test_an_unknown_context_keeps_the_part_before_it_and_perf_drops_all(r, start, read):
    chain = [r.USER, 0x1010, 2**64 - 77, 0x1020]
    profile = read(start().sample(7, chain))
    assert [path for path, _ in places(profile)] == ["[truncated]", "/bin/app"]
    assert read(start().sample(7, chain), compat="perf").samples.stack.tolist() == [-1]


def test_programs_that_the_kernel_names(r, start, read):
    made = start()
    made.record(17, made.words(0xFFFF_FFFF_C000_0000) + made.ints(64, 1) + b"bpf_prog_1\0\0\0\0\0\0", 0)
    profile = read(made.sample(7, [r.KERNEL, 0xFFFF_FFFF_C000_0010]))
    assert places(profile)[0][0] == "bpf_prog_1"


def test_losses_and_what_a_filter_left_out(r, start, read):
    made = start().sample(7, [r.USER, 0x1010])
    made.record(2, made.words(1, 5)).record(13, made.words(9)).record(13, made.words(4), 1 << 15)
    quality = read(made).meta.quality
    assert quality.lost == {"recorder": 9}
    assert quality.filtered == {"recorder's filter": 4}


def test_a_chain_longer_than_its_record_is_counted(r, start, read):
    made = start().sample(7, [r.USER, 0x1010])
    made.record(9, made.words(0x1010) + made.ints(7, 7) + made.words(1 << 40))
    quality = read(made).meta.quality
    assert (quality.read, quality.skipped_lines) == (2, 1)


def test_records_before_any_event_are_refused(r, read):
    with pytest.raises(FormatError, match="no event"):
        read(r.Recording().comm(7, b"app"))


def test_records_of_unknown_types_are_passed_over(r, start, read):
    made = start().record(900, bytes(24)).record(60, bytes(8)).sample(7, [r.USER, 0x1010])
    assert read(made).meta.quality.read == 1


@pytest.mark.parametrize("order", ["<", ">"])
def test_control_groups_have_paths_as_far_as_the_recording_names_them(r, base, start, read, order):
    made = start(order, base | r.CGROUP)
    for number, path in ((5, b"/web\0\0\0\0"), (6, b"/db\0\0\0\0\0"), (5, b"/new\0\0\0\0")):
        made.record(19, made.words(number) + path)
        made.sample(7, [r.USER, 0x1010], after=made.words(number))
    made.sample(7, [r.USER, 0x1010], after=made.words(9)).sample(7, [r.USER, 0x1010], after=made.words(6))
    for every_sample, counts in ((True, [1, 1, 1, 1, 1]), (False, [1, 2, 1, 1])):
        profile = read(made, every_sample=every_sample)
        names = [*profile.cgroups, None]
        wanted = ["/web", "/db", "/new", None, "/db"][: len(counts)]
        assert [names[i] for i in profile.samples.cgroup] == wanted
        assert profile.samples.count.tolist() == counts
    assert read(start(order).sample(7, [r.USER, 0x1010])).samples.cgroup is None


@pytest.mark.parametrize("failure", [KeyboardInterrupt, RuntimeError])
def test_what_goes_wrong_in_what_the_reader_calls_is_raised(failure):
    def decompress(data):
        raise failure

    reader = PerfReader(decompress=decompress)
    reader.add_event(bytes(128), b"")
    with pytest.raises(failure):
        reader.feed(struct.pack("<IHH", 81, 0, 16) + bytes(8))

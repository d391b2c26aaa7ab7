"""Programs that are executed in all ways there are, as C and a shell script; used here and in the machine."""

import subprocess

# Executes from a thread that is not the first, and by execveat; tells nothing.
SOURCE = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
extern char **environ;
static void *from_thread(void *unused) {
    char *words[] = {"true", "from", "a thread", 0};
    (void)unused;
    execve("/bin/true", words, environ);
    return 0;
}
int main(int count, char **words) {
    char *at[] = {"true", "by", "execveat", 0}, *missing[] = {"missing", "word", 0};
    if (count > 1 && !strcmp(words[1], "thread")) {
        pthread_t thread;
        pthread_create(&thread, 0, from_thread, 0);
        pthread_join(thread, 0);
    }
    syscall(SYS_execveat, AT_FDCWD, "/no/such/at", missing, environ, 0);
    syscall(SYS_execveat, AT_FDCWD, "/bin/true", at, environ, 0);
    return 1;
}
"""
# 20 programs and more; the sum of long arguments is above what bpftrace can read.
SCRIPT = r"""
cd {folder}
for i in 1 2 3 4 5 6 7 8 9 10; do /bin/true "number $i" ''; done
for i in 1 2 3 4; do /bin/echo 'back\slash' "tab	" "new
line" >/dev/null; done
cd /usr/share
/bin/true $(/usr/bin/seq 1 900)
/bin/true $(/usr/bin/seq 1 4000)
{folder}/odd thread
{folder}/odd at
/no/such/program with words
{folder}/not-executable again
exit 7
"""
PROGRAMS = 22


def make(folder):
    """Compile and write it into a folder; return the command that runs it."""
    (folder / "odd.c").write_text(SOURCE)
    subprocess.run(["gcc", "-O1", "-pthread", folder / "odd.c", "-o", folder / "odd"], check=True)
    (folder / "not-executable").write_text("")
    (folder / "script.sh").write_text(SCRIPT.format(folder=folder))
    return ["/bin/sh", str(folder / "script.sh")]


def expected(folder):
    """What the script executes, as kprof tells it: call, return value, directory, arguments."""
    here, there = str(folder), "/usr/share"
    found = [("execve", 0, here, ["/bin/true", f"number {i}", ""]) for i in range(1, 11)]
    found += [("execve", 0, here, ["/bin/echo", "back\\slash", "tab\t", "new\nline"])] * 4
    for last in (900, 4000):
        found.append(("execve", 0, there, ["/usr/bin/seq", "1", str(last)]))
        found.append(("execve", 0, there, ["/bin/true", *map(str, range(1, last + 1))]))
    odd = str(folder / "odd")
    found.append(("execve", 0, there, [odd, "thread"]))
    found.append(("execve", 0, there, ["true", "from", "a thread"]))
    found.append(("execve", 0, there, [odd, "at"]))
    found.append(("execveat", -2, there, ["missing", "word"]))
    found.append(("execveat", 0, there, ["true", "by", "execveat"]))
    found.append(("execve", -2, there, ["/no/such/program", "with", "words"]))
    found.append(("execve", -13, there, [str(folder / "not-executable"), "again"]))
    return found


def told(rows):
    """What was told of the script, in the same form, without the shell itself."""
    return [
        (row["call"], row["ret"], row["cwd"], row["args"])
        for row in rows
        if row["args"][:1] != ["/bin/sh"] and not row["filename"].endswith("/script.sh")
    ]

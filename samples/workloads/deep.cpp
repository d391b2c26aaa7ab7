// Deep stacks: recursion whose frames are small (many frames), large (few fit into a stack dump) or of a size known only when
// they run (alloca: the frame's base must be found through a register). Build: g++ -std=c++17 -O2 -g. Run: deep CPU_SECONDS
#include <alloca.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>

static volatile std::uint64_t sink;

__attribute__((noinline)) static std::uint64_t spin(int rounds) {
    std::uint64_t x = 1;
    for (int i = 0; i < rounds; ++i) x = x * 6364136223846793005ULL + 1442695040888963407ULL;
    return x;
}

__attribute__((noinline)) static std::uint64_t small_frames(int depth) {
    return depth ? small_frames(depth - 1) + static_cast<std::uint64_t>(depth) * sink : spin(60000);
}

__attribute__((noinline)) static std::uint64_t large_frames(int depth) {
    char block[3000];
    std::memset(block, depth, sizeof block);
    const std::uint64_t below = depth ? large_frames(depth - 1) : spin(60000);
    return below + static_cast<std::uint64_t>(block[below % sizeof block]);
}

__attribute__((noinline)) static std::uint64_t varying_frames(int depth) {
    const std::size_t size = 16 + static_cast<std::size_t>(depth) * 40 + (sink & 1);
    char* block = static_cast<char*>(alloca(size));
    std::memset(block, depth, size);
    const std::uint64_t below = depth ? varying_frames(depth - 1) : spin(60000);
    return below + static_cast<std::uint64_t>(block[below % size]);
}

int main(int argc, char** argv) {
    const double seconds = argc > 1 ? std::atof(argv[1]) : 1.0;
    while (static_cast<double>(std::clock()) / CLOCKS_PER_SEC < seconds) {
        sink = small_frames(100) + large_frames(18) + varying_frames(20);
    }
}

// Threads whose names are hard on a parser of `perf script` text. Run: threads ordinary|hostile CPU_SECONDS
// Build: g++ -std=c++17 -O2 -g -fno-omit-frame-pointer -pthread
#include <sys/prctl.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <thread>
#include <vector>

static volatile std::uint64_t sink;

__attribute__((noinline)) static std::uint64_t spin(std::uint64_t x) {
    for (int i = 0; i < 20000; ++i) x = x * 6364136223846793005ULL + 1442695040888963407ULL;
    return x;
}

__attribute__((noinline)) static void named_work(const char* name, double seconds) {
    prctl(PR_SET_NAME, name, 0, 0, 0);
    timespec now{};
    std::uint64_t x = 1;
    do {
        x = spin(x);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    } while (static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9 < seconds);
    sink = x;
}

int main(int argc, char** argv) {
    const std::vector<const char*> ordinary = {
        "two words", "semi;colon", "1234", "12 34/56", "x", "7", "pool-1-thread-2", "kworker/u4:1", "(sd-pam)", "a->b", "Ünï",
    };
    const std::vector<const char*> hostile = {
        "",                    // no name at all
        "  led by two",        // leading spaces
        "trailing  ",          // trailing spaces
        "tab\tname",           // a tab
        "cr\rname",            // a carriage return
        "# not a note",        // looks like perf's comments
        "1 [000] 2.0: e:",     // looks like the rest of a header
        "a 1/2 [0] 3.4: ",     // the same with a pid and a tid
        "xxxxxxxxxxxxxx\xc3",  // half a UTF-8 character, as the kernel's cut at 15 bytes leaves behind
        "\xff\xfe",            // no UTF-8 at all
    };
    const bool mean = argc > 1 && std::strcmp(argv[1], "hostile") == 0;
    const double seconds = argc > 2 ? std::atof(argv[2]) : 0.05;
    std::vector<std::thread> threads;
    for (const char* name : mean ? hostile : ordinary) threads.emplace_back(named_work, name, seconds);
    for (auto& thread : threads) thread.join();
}

// A program with a pulse: 100 ms of work in every second, always at the same time of it, above a steady murmur.
// Run: pulse SECONDS. Build: g++ -std=c++17 -O1 -g -fno-omit-frame-pointer
#include <time.h>

#include <cstdlib>

namespace {

long long now() {
    timespec at{};
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1'000'000'000LL + at.tv_nsec;
}

volatile unsigned sink;

__attribute__((always_inline)) inline void spin() {
    for (unsigned i = 0; i < 1000; ++i) sink = sink * 1664525u + i;
}

__attribute__((noinline)) void burst(long long until) {
    while (now() < until) spin();
}

__attribute__((noinline)) void murmur(long long until) {
    while (now() < until) spin();
}

void wait_until(long long moment) {
    const timespec at{moment / 1'000'000'000, moment % 1'000'000'000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
}

}  // namespace

int main(int argc, char** argv) {
    constexpr long long ms = 1'000'000;
    const long long seconds = argc > 1 ? std::atoll(argv[1]) : 8;
    const long long begin = now();
    for (long long tick = 0; tick < seconds * 50; ++tick) {
        const long long moment = begin + tick * 20 * ms;
        wait_until(moment);
        // Ticks 15 to 19 of the 50 of a second: 300 to 400 ms.
        if (tick % 50 >= 15 && tick % 50 < 20)
            burst(moment + 20 * ms);
        else
            murmur(moment + 2 * ms);
    }
}

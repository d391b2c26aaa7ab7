// Work inside signal handlers: on the thread's own stack, on an alternate stack, and a signal that interrupts a handler.
// Build: g++ -std=c++17 -O2 -g. Run: signals CPU_SECONDS
#include <signal.h>
#include <sys/time.h>

#include <cstdint>
#include <cstdlib>
#include <ctime>

static volatile std::uint64_t sink;

__attribute__((noinline)) static std::uint64_t spin(int rounds) {
    std::uint64_t x = 1;
    for (int i = 0; i < rounds; ++i) x = x * 6364136223846793005ULL + 1442695040888963407ULL;
    return x;
}

__attribute__((noinline)) static void nested_handler(int) { sink = spin(40000); }

__attribute__((noinline)) static void handler_work(int depth) {
    if (depth > 0) {
        handler_work(depth - 1);
    } else {
        sink = spin(40000);
        raise(SIGUSR2);
    }
    sink = sink + 1;  // keeps the call from being a tail call
}

static void on_alarm(int) { handler_work(3); }
static void on_alternate_stack(int) { sink = spin(40000); }

__attribute__((noinline)) static void interrupted(double seconds) {
    for (int round = 0; static_cast<double>(std::clock()) / CLOCKS_PER_SEC < seconds; ++round) {
        sink = spin(20000);
        if (round % 3 == 0) raise(SIGUSR1);
    }
}

static void install(int number, void (*handler)(int), int flags) {
    struct sigaction action = {};
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigaction(number, &action, nullptr);
}

int main(int argc, char** argv) {
    stack_t alternate = {};
    alternate.ss_size = 64 * 1024;
    alternate.ss_sp = std::malloc(alternate.ss_size);
    sigaltstack(&alternate, nullptr);
    install(SIGVTALRM, on_alarm, 0);
    install(SIGUSR2, nested_handler, 0);
    install(SIGUSR1, on_alternate_stack, SA_ONSTACK);
    const itimerval every = {{0, 2000}, {0, 2000}};
    setitimer(ITIMER_VIRTUAL, &every, nullptr);
    interrupted(argc > 1 ? std::atof(argv[1]) : 1.0);
}

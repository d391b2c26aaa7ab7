// A storm of short-lived processes: children that work and exit, children that exec /bin/true, children that exec a shell.
// Build: g++ -std=c++17 -O2 -g -fno-omit-frame-pointer. Run: forkexec ROUNDS
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

static volatile std::uint64_t sink;

__attribute__((noinline)) static void child_work(int round) {
    prctl(PR_SET_NAME, "short child", 0, 0, 0);
    std::uint64_t x = static_cast<std::uint64_t>(round);
    for (int i = 0; i < 400000; ++i) x = x * 6364136223846793005ULL + 1;
    sink = x;
}

int main(int argc, char** argv) {
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 100;
    for (int round = 0; round < rounds; ++round) {
        const pid_t child = fork();
        if (child == 0) {
            if (round % 3 == 0) {
                child_work(round);
            } else if (round % 3 == 1) {
                execl("/bin/true", "true", nullptr);
            } else {
                execl("/bin/sh", "sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do :; done", nullptr);
            }
            _exit(0);
        }
        waitpid(child, nullptr, 0);
    }
}

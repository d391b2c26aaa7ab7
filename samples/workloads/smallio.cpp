// Many small reads and writes: nearly all time is the kernel's. Run: smallio SCRATCH_FILE CPU_SECONDS
// Build: g++ -std=c++17 -O2 -g -fno-omit-frame-pointer
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>

int main(int argc, char** argv) {
    const char* path = argc > 1 ? argv[1] : "smallio.tmp";
    const double seconds = argc > 2 ? std::atof(argv[2]) : 1.0;
    char block[4096] = {};
    const int fd = open(path, O_CREAT | O_TRUNC | O_RDWR, 0600);
    const int zero = open("/dev/zero", O_RDONLY);
    int ends[2];
    if (fd < 0 || zero < 0 || pipe(ends) != 0) return 1;
    for (int round = 0; static_cast<double>(std::clock()) / CLOCKS_PER_SEC < seconds; ++round) {
        for (int i = 0; i < 64; ++i) {
            if (read(zero, block, 512) != 512) return 1;
            if (pwrite(fd, block, sizeof block, (round * 64 + i) % 4096 * 4096L) < 0) return 1;
            if (pread(fd, block, 64, i * 64) < 0) return 1;
            if (write(ends[1], block, 100) != 100 || read(ends[0], block, 100) != 100) return 1;
        }
        if (round % 500 == 499) fsync(fd);
    }
    unlink(path);
}

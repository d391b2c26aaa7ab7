// Libraries that are loaded and unloaded in turn, so that different ones lie at the same addresses one after the other.
// Build: g++ -std=c++17 -O2 -g -fPIC -shared -DPLUGIN=first (and second) -o first.so; g++ … -o reload -ldl.
// Run: reload ROUNDS LIBRARY...
#include <cstdint>

#ifdef PLUGIN
#define NAMED(prefix, name) prefix##name
#define WORK(name) NAMED(work_of_, name)

__attribute__((noinline)) static std::uint64_t WORK(PLUGIN)(int rounds) {
    std::uint64_t x = 1;
    for (int i = 0; i < rounds; ++i) x = x * 6364136223846793005ULL + 1442695040888963407ULL;
    return x;
}

extern "C" std::uint64_t run(int rounds) { return WORK(PLUGIN)(rounds) + 1; }
#else
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
    std::uint64_t total = 0;
    for (int round = 0; round < std::atoi(argv[1]); ++round) {
        void* library = dlopen(argv[2 + round % (argc - 2)], RTLD_NOW);
        if (!library) return std::fprintf(stderr, "%s\n", dlerror()), 1;
        total += reinterpret_cast<std::uint64_t (*)(int)>(dlsym(library, "run"))(4000000);
        dlclose(library);
    }
    std::printf("%llu\n", static_cast<unsigned long long>(total));
}
#endif

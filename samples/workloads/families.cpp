// Much debug information for little code: many types, each with its own maps, vectors and functions of the standard library.
// Build: g++ -std=c++17 -O1 -g -DFAMILIES=400. Run: families CPU_SECONDS
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#ifndef FAMILIES
#define FAMILIES 20
#endif

static volatile std::uint64_t sink;

template <int N>
struct Member {
    std::uint64_t value;
    bool operator<(const Member& other) const { return value < other.value; }
};

template <int N>
__attribute__((noinline)) std::uint64_t family(std::uint64_t seed) {
    std::map<Member<N>, std::vector<Member<N + 1>>> tree;
    std::unordered_map<std::uint64_t, std::unique_ptr<Member<N>>> table;
    const std::function<Member<N>(std::uint64_t)> make = [](std::uint64_t x) { return Member<N>{x * 2654435761U % 1009}; };
    for (std::uint64_t i = 0; i < 8; ++i) {
        tree[make(seed + i)].push_back(Member<N + 1>{i});
        table[i] = std::make_unique<Member<N>>(make(i));
    }
    std::uint64_t total = 0;
    for (const auto& [key, values] : tree) total += key.value + values.size();
    return total + table[seed % 8]->value;
}

template <int... Ns>
static std::uint64_t all(std::uint64_t seed, std::integer_sequence<int, Ns...>) {
    return (family<Ns * 2>(seed) + ...);
}

int main(int argc, char** argv) {
    const double seconds = argc > 1 ? std::atof(argv[1]) : 1.0;
    for (std::uint64_t round = 0; static_cast<double>(std::clock()) / CLOCKS_PER_SEC < seconds; ++round) {
        sink = all(round, std::make_integer_sequence<int, FAMILIES>());
    }
}

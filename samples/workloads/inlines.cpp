// C++ that is hard on a name parser and a symboliser: templates, lambdas, an anonymous namespace, operator(), operator->,
// conversions, function types as template arguments, std::function, virtual calls, recursion and inlining.
// Build: g++ -std=c++17 -O2 -g -fno-omit-frame-pointer. Run: inlines CPU_SECONDS
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#define NOINLINE __attribute__((noinline))

static volatile std::uint64_t sink;

namespace {

inline std::uint64_t mix(std::uint64_t x) {
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdULL;
    return x ^ (x >> 29);
}

inline std::uint64_t mix_twice(std::uint64_t x) { return mix(mix(x)); }

struct Hasher {
    std::uint64_t seed;
    NOINLINE std::uint64_t operator()(std::uint64_t n) const {
        std::uint64_t h = seed;
        for (std::uint64_t i = 0; i < n; ++i) h = mix_twice(h + i);
        return h;
    }
};

template <typename T>
struct Handle {
    T* target;
    NOINLINE T* operator->() const {
        for (int i = 0; i < 9000; ++i) sink = mix(static_cast<std::uint64_t>(i));
        return target;
    }
    NOINLINE explicit operator bool() const {
        for (int i = 0; i < 9000; ++i) sink = mix(static_cast<std::uint64_t>(i));
        return target != nullptr;
    }
};

class Shape {
  public:
    virtual ~Shape() = default;
    virtual double area(int rounds) const = 0;
};

class Circle final : public Shape {
  public:
    explicit Circle(double r) : r_(r) {}
    NOINLINE double area(int rounds) const override {
        double total = 0;
        for (int i = 1; i < rounds; ++i) total += r_ / i * r_;
        return total;
    }

  private:
    double r_;
};

NOINLINE std::uint64_t recurse(int depth, std::uint64_t x) {
    if (depth == 0) {
        for (int i = 0; i < 3000; ++i) x = mix_twice(x);
        return x;
    }
    return recurse(depth - 1, x + 1) + 1;
}

}  // namespace

namespace geometry::detail {

template <typename Key, typename Value>
class Table {
  public:
    NOINLINE void insert(const Key& key, Value value) { map_[key] = std::move(value); }
    NOINLINE std::size_t scan(bool (*keep)(const std::pair<const Key, Value>&)) const {
        std::size_t n = 0;
        for (const auto& row : map_) n += keep(row) ? 1 : 0;
        return n;
    }

  private:
    std::map<Key, Value> map_;
};

template <typename Function>
NOINLINE auto apply(Function&& function, std::uint64_t n) -> decltype(function(n)) {
    return function(n);
}

template <int N, typename... Ts>
NOINLINE std::uint64_t pack(Ts... values) {
    std::uint64_t total = N;
    for (int i = 0; i < 2000; ++i) total += (mix(static_cast<std::uint64_t>(values)) + ...);
    return total;
}

}  // namespace geometry::detail

static bool keep_even(const std::pair<const std::string, int>& row) { return row.second % 2 == 0; }

NOINLINE static std::uint64_t clock_reads(int n) {
    timespec now{};
    for (int i = 0; i < n; ++i) clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_nsec);
}

NOINLINE static std::uint64_t one_round(int round) {
    std::uint64_t total = Hasher{static_cast<std::uint64_t>(round)}(9000);

    std::vector<std::uint64_t> values(400);
    std::generate(values.begin(), values.end(), [n = static_cast<std::uint64_t>(round)]() mutable { return n = mix(n); });
    std::sort(values.begin(), values.end(), [](std::uint64_t a, std::uint64_t b) { return mix(a) < mix(b); });
    total += values.front();

    const std::function<std::uint64_t(std::uint64_t)> boxed = [&total](std::uint64_t n) {
        std::uint64_t h = total;
        for (std::uint64_t i = 0; i < n; ++i) h = mix(h ^ i);
        return h;
    };
    total += boxed(9000);
    total += geometry::detail::apply([](auto n) { return recurse(12, n); }, total);
    total += geometry::detail::pack<3>(1, 2U, 3L);

    geometry::detail::Table<std::string, int> table;
    for (int i = 0; i < 60; ++i) table.insert("key " + std::to_string(i * 7919 % 61), i);
    total += table.scan(&keep_even);

    const std::unique_ptr<Shape> shape = std::make_unique<Circle>(1.5);
    const Handle<Shape> handle{shape.get()};
    if (handle) total += static_cast<std::uint64_t>(handle->area(9000));
    return total + clock_reads(200);
}

int main(int argc, char** argv) {
    const double seconds = argc > 1 ? std::atof(argv[1]) : 1.0;
    for (int round = 0; static_cast<double>(std::clock()) / CLOCKS_PER_SEC < seconds; ++round) sink = one_round(round);
    std::printf("%llu\n", static_cast<unsigned long long>(sink));
}

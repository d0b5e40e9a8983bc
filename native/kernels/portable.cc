// Kernels for any CPU, on the compiler's own four-lane vectors: SSE2 on x86-64, NEON on ARM, plain registers elsewhere.
#include "kernels/generic.h"
#include "kernels/lane_popcount.h"

namespace mbnn {
namespace {

struct Portable {
  static constexpr const char* kName = "portable";
  static bool cpu_has_it() { return true; }

  typedef uint32_t Vector __attribute__((vector_size(16)));
  static constexpr int kLanes = 4;
  static constexpr int kTileBlocks = 8;
  static constexpr int kTilePixels = 1;  // eight accumulators and the masks below fill 16 registers
  using Inner = LanePopcount<Portable>;

  static Vector load(const uint8_t* from) {
    Vector vector;
    memcpy(&vector, from, sizeof vector);
    return vector;
  }
  static void store(int32_t* to, Vector vector) { memcpy(to, &vector, sizeof vector); }
  static Vector broadcast(uint32_t word) { return Vector{word, word, word, word}; }
  static Vector add(Vector a, Vector b) { return a + b; }
  static void pin(Vector&) {}  // which registers there are is not known here
  // Sums of neighbouring bits, pairs, nibbles, bytes. Without an instruction for it, __builtin_popcount is a library
  // call per lane.
  static Vector count_differences(Vector a, Vector b) {
    Vector x = a ^ b;
    x = x - ((x >> 1) & 0x55555555u);
    x = (x & 0x33333333u) + ((x >> 2) & 0x33333333u);
    x = (x + (x >> 4)) & 0x0f0f0f0fu;
    x = x + (x >> 8);
    return (x + (x >> 16)) & 0x3fu;
  }

  static uint32_t greater(const int32_t* a, const int32_t* b) {
    return any_lane([&](int i) { return a[i] > b[i]; });
  }
  static uint32_t below_zero(const float* x) {
    Integers bits = {};
    for (int i = 0; i < kWordBits; i += kLanes) {
      Integers place;
      for (int lane = 0; lane < kLanes; ++lane) place[lane] = static_cast<int32_t>(1u << (i + lane));
      bits |= (mbnn::load<Floats>(x + i) < 0.0f) & place;
    }
    return static_cast<uint32_t>(bits[0] | bits[1] | bits[2] | bits[3]);
  }
  static uint32_t below(const int8_t* x, int8_t bound) {
    typedef int8_t Bytes __attribute__((vector_size(8)));
    uint32_t mask = 0;
    for (int i = 0; i < kWordBits; i += 8) {
      const Bytes places = {1, 2, 4, 8, 16, 32, 64, -128};
      const Bytes found = (mbnn::load<Bytes>(x + i) < bound) & places;
      uint64_t all;
      memcpy(&all, &found, sizeof all);
      mask |= static_cast<uint32_t>(all * 0x0101010101010101 >> 56) << i;  // the product's last byte is their sum
    }
    return mask;
  }

 private:
  template <class Condition>
  static uint32_t any_lane(const Condition& condition) {
    uint32_t mask = 0;
    for (int i = 0; i < kWordBits; ++i) mask |= static_cast<uint32_t>(condition(i)) << i;
    return mask;
  }
};

}  // namespace

constexpr Kernels kPortableKernels = Generic<Portable>::kernels();

}  // namespace mbnn

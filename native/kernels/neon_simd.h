// What both NEON kernels share: four output channels side by side in a vector, four bytes of a word each, and masks.
#pragma once

#include <string.h>

#include "kernels/generic.h"
#include "kernels/intrinsics.h"

namespace mbnn {
namespace {

// EOR, CNT and one addition serve 128 bits. Broadcasting a word takes a vector pipe too (LD1R), so that it must serve as
// many blocks as registers hold; hence eight blocks and only two pixels: 16 sums, 8 filter vectors, an activation.
//
// S gives Sum, zero, kMostWords (that a sum holds without overflow), add (16 bytes of counts to a sum) and lanes (a
// sum's four channels).
template <class S>
struct NeonPopcount {
  using Apart = NeonPopcount;  // filters are used as they are stored
  static constexpr int kBlockChannels = 4;
  static constexpr int kBytesPerWord = 4;
  static constexpr int kTogether = 4;  // blocks

  static void pack_block(const uint32_t* words, uint8_t* packed) { memcpy(packed, words, kBlockChannels * 4); }

  // As LanePopcount::count.
  template <int P, int N>
  static void count(const uint32_t* const* taps, int tap_count, int words, int first_word, const uint8_t* filter,
                    int32_t* twice) {
    typename S::Sum sum[P][N];
    for (int p = 0; p < P; ++p) memset(twice + p * kMaxTileChannels, 0, N * kBlockChannels * sizeof *twice);
    clear(sum);
    int room = S::kMostWords;
    for (int tap = 0; tap < tap_count; ++tap, taps += P) {
      const uint32_t* pixel[P];
#pragma GCC unroll 16
      for (int p = 0; p < P; ++p) pixel[p] = taps[p] + first_word;
      for (int left = words; left > 0;) {
        const int run = left < room ? left : room;
        left -= run;
        room -= run;
        for (int i = 0; i < run; ++i, filter += N * kBlockChannels * 4) add_word<P, N>(pixel, filter, sum);
        if (room > 0) continue;
        add_twice(sum, twice);
        clear(sum);
        room = S::kMostWords;
      }
    }
    add_twice(sum, twice);
  }

 private:
  // Adds the differences in one word of each pixel, and moves on to the next.
  template <int P, int N>
  static inline __attribute__((always_inline)) void add_word(const uint32_t* (&pixel)[P], const uint8_t* filter,
                                                             typename S::Sum (&sum)[P][N]) {
    uint8x16_t weights[N];
#pragma GCC unroll 16
    for (int n = 0; n < N; ++n) weights[n] = vld1q_u8(filter + 16 * n);
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p) {
      const uint8x16_t activation = broadcast(pixel[p]++);
#pragma GCC unroll 16
      for (int first = 0; first < N; first += kTogether) add_blocks<P, N>(activation, weights, first, sum[p]);
    }
  }

  // Several blocks step by step: a core that runs instructions in order waits for each result that is used at once.
  template <int P, int N>
  static inline __attribute__((always_inline)) void add_blocks(uint8x16_t activation, const uint8x16_t (&weights)[N],
                                                               int first, typename S::Sum (&sum)[N]) {
    uint8x16_t bits[kTogether];
    const int end = N - first < kTogether ? N - first : kTogether;
#pragma GCC unroll 16
    for (int n = 0; n < end; ++n) bits[n] = veorq_u8(activation, weights[first + n]);
#pragma GCC unroll 16
    for (int n = 0; n < end; ++n) pin(bits[n]);
#pragma GCC unroll 16
    for (int n = 0; n < end; ++n) bits[n] = vcntq_u8(bits[n]);
#pragma GCC unroll 16
    for (int n = 0; n < end; ++n) pin(bits[n]);
#pragma GCC unroll 16
    for (int n = 0; n < end; ++n) {
      sum[first + n] = S::add(sum[first + n], bits[n]);
      pin(sum[first + n]);
    }
  }

  // GCC makes two instructions of vld1q_dup_u32, which takes a quarter more time.
  static inline __attribute__((always_inline)) uint8x16_t broadcast(const uint32_t* word) {
#if defined(__aarch64__) && !defined(__clang__)
    uint8x16_t all;
    asm("ld1r {%0.4s}, %1" : "=w"(all) : "Q"(*word));
    return all;
#else
    return vreinterpretq_u8_u32(vld1q_dup_u32(word));
#endif
  }

  template <int P, int N>
  static inline __attribute__((always_inline)) void clear(typename S::Sum (&sum)[P][N]) {
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p) {
#pragma GCC unroll 16
      for (int n = 0; n < N; ++n) sum[p][n] = S::zero();
    }
  }

  template <int P, int N>
  static inline __attribute__((always_inline)) void add_twice(const typename S::Sum (&sum)[P][N], int32_t* twice) {
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p) {
#pragma GCC unroll 16
      for (int n = 0; n < N; ++n) {
        const int32x4_t counts = vreinterpretq_s32_u32(S::lanes(sum[p][n]));
        int32_t* to = twice + p * kMaxTileChannels + n * kBlockChannels;
        vst1q_s32(to, vaddq_s32(vld1q_s32(to), vaddq_s32(counts, counts)));
      }
    }
  }
};

template <class S>
struct NeonSimd {
  static constexpr int kTileBlocks = 8;
  static constexpr int kTilePixels = 2;
  using Inner = NeonPopcount<S>;

  static uint32_t greater(const int32_t* a, const int32_t* b) {
    return join_lanes([&](int i) { return vcgtq_s32(vld1q_s32(a + i), vld1q_s32(b + i)); });
  }
  // A comparison, not the sign bit, which -0.0 and some NaN have too.
  static uint32_t below_zero(const float* x) {
    return join_lanes([&](int i) { return vcltq_f32(vld1q_f32(x + i), vdupq_n_f32(0.0f)); });
  }
  static uint32_t below(const int8_t* x, int8_t bound) {
    const int8x16_t bounds = vdupq_n_s8(bound);
    return join_bytes(vcltq_s8(vld1q_s8(x), bounds), vcltq_s8(vld1q_s8(x + 16), bounds));
  }

 private:
  template <class Compare>
  static uint32_t join_lanes(const Compare& compare) {
    return join_bytes(narrow(compare, 0), narrow(compare, 16));
  }

  // The masks of 16 values, a byte each.
  template <class Compare>
  static uint8x16_t narrow(const Compare& compare, int i) {
    const uint16x8_t low = every_other(compare(i), compare(i + 4));
    const uint16x8_t high = every_other(compare(i + 8), compare(i + 12));
    return vuzp1q_u8(vreinterpretq_u8_u16(low), vreinterpretq_u8_u16(high));
  }
  static uint16x8_t every_other(uint32x4_t low, uint32x4_t high) {
    return vuzp1q_u16(vreinterpretq_u16_u32(low), vreinterpretq_u16_u32(high));
  }

  // Each byte keeps the bit of its place; three pairwise additions join eight of them.
  static uint32_t join_bytes(uint8x16_t low, uint8x16_t high) {
    const uint8x16_t places = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201u));
    uint8x16_t bits = vpaddq_u8(vandq_u8(low, places), vandq_u8(high, places));
    bits = vpaddq_u8(bits, bits);
    bits = vpaddq_u8(bits, bits);
    return vgetq_lane_u32(vreinterpretq_u32_u8(bits), 0);
  }
};

}  // namespace
}  // namespace mbnn

// The inner loop for instruction sets that count bits per 32-bit lane: one lane, one output channel.
#pragma once

#include <stdint.h>
#include <string.h>

#include "kernels/intrinsics.h"
#include "kernels/kernels.h"

namespace mbnn {
namespace {

// S gives Vector, kLanes and load, store, broadcast, count_differences(a, b) (popcount of a XOR b) and add.
template <class S>
struct LanePopcount {
  using Apart = LanePopcount;  // filters are used as they are stored
  static constexpr int kBlockChannels = S::kLanes;
  static constexpr int kBytesPerWord = 4;

  // The words of one block's channels, side by side.
  static void pack_block(const uint32_t* words, uint8_t* packed) { memcpy(packed, words, S::kLanes * 4); }

  // Twice the differing bits, for P pixels times N blocks. taps: [tap][P]. twice: [P][kMaxTileChannels].
  template <int P, int N>
  static void count(const uint32_t* const* taps, int tap_count, int words, int first_word, const uint8_t* filter,
                    int32_t* twice) {
    using Vector = typename S::Vector;
    Vector sum[P][N];
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p) {
#pragma GCC unroll 16
      for (int n = 0; n < N; ++n) sum[p][n] = S::broadcast(0);
    }
    for (int tap = 0; tap < tap_count; ++tap, taps += P) {
      const uint32_t* pixel[P];
#pragma GCC unroll 16
      for (int p = 0; p < P; ++p) pixel[p] = taps[p] + first_word;
      for (int word = 0; word < words; ++word, filter += N * S::kLanes * 4) {
        Vector weights[N];
#pragma GCC unroll 16
        for (int n = 0; n < N; ++n) weights[n] = S::load(filter + n * S::kLanes * 4);
#pragma GCC unroll 16
        for (int p = 0; p < P; ++p) {
          const Vector activation = S::broadcast(pixel[p][word]);
#pragma GCC unroll 16
          for (int n = 0; n < N; ++n) {
            sum[p][n] = S::add(sum[p][n], S::count_differences(activation, weights[n]));
            pin(sum[p][n]);
          }
        }
      }
    }
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p) {
#pragma GCC unroll 16
      for (int n = 0; n < N; ++n) S::store(twice + p * kMaxTileChannels + n * S::kLanes, S::add(sum[p][n], sum[p][n]));
    }
  }
};

}  // namespace
}  // namespace mbnn

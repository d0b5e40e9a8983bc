// The kernels themselves, once, for whatever instruction set `Simd` stands for.
//
// Everything here is in an unnamed namespace: each instruction set compiles its own copy with its own flags, and the
// linker must never hand one set's copy to another.
#pragma once

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/bit_pool.h"
#include "kernels/epilogue.h"
#include "kernels/float_pool.h"
#include "kernels/kernels.h"
#include "kernels/output.h"
#include "kernels/pack.h"
#include "memory.h"

namespace mbnn {
namespace {

// Simd gives kName, cpu_has_it, kTileBlocks, kTilePixels, the inner loop Inner (pack_block, count), and the masks of 32
// values greater, below_zero, below.
template <class Simd>
struct Generic {
  using Inner = typename Simd::Inner;
  static constexpr int kBlock = Inner::kBlockChannels;
  static constexpr int kTile = kBlock * Simd::kTileBlocks;
  static constexpr int kPixels = Simd::kTilePixels;
  static_assert(kTile <= kMaxTileChannels && kTile % kWordBits == 0 && kPixels <= kMaxTilePixels, "tile");

  static size_t packed_filter_bytes(size_t tiles, size_t taps, size_t words) {
    return tiles * taps * words * kTile * Inner::kBytesPerWord;
  }

  static int blocks_of_tile(int channels, int tile) {
    const int left = channels - tile * kTile;
    return left >= kTile ? Simd::kTileBlocks : (left + kBlock - 1) / kBlock;
  }

  static void pack_filter(const uint32_t* filter, int channels, int taps, int words, uint8_t* packed) {
    const size_t row = static_cast<size_t>(taps) * words;
    for (int tile = 0; tile * kTile < channels; ++tile) {
      uint8_t* to = packed + packed_filter_bytes(tile, taps, words);
      const int blocks = blocks_of_tile(channels, tile);
      for (size_t word = 0; word < row; ++word) {
        for (int block = 0; block < blocks; ++block, to += kBlock * Inner::kBytesPerWord) {
          uint32_t words_of_block[kBlock];
          for (int i = 0; i < kBlock; ++i) {
            const int channel = tile * kTile + block * kBlock + i;
            words_of_block[i] = channel < channels ? filter[channel * row + word] : 0;
          }
          Inner::pack_block(words_of_block, to);
        }
      }
    }
  }

  // Loop::count for each number of pixels and blocks that a tile can have.
  using Count = void (*)(const uint32_t* const*, int, int, int, const uint8_t*, int32_t*);
  template <class Loop, int P>
  static Count count_for_pixels(int blocks) {
    static_assert(Simd::kTileBlocks <= 8, "one case for each number of blocks");
    constexpr int kMost = Simd::kTileBlocks;
    switch (blocks) {
      case 1: return Loop::template count<P, 1>;
      case 2: return Loop::template count<P, kMost < 2 ? kMost : 2>;
      case 3: return Loop::template count<P, kMost < 3 ? kMost : 3>;
      case 4: return Loop::template count<P, kMost < 4 ? kMost : 4>;
      case 5: return Loop::template count<P, kMost < 5 ? kMost : 5>;
      case 6: return Loop::template count<P, kMost < 6 ? kMost : 6>;
      case 7: return Loop::template count<P, kMost < 7 ? kMost : 7>;
      default: return Loop::template count<P, kMost>;
    }
  }
  template <class Loop>
  static Count count_for(int pixels, int blocks) {
    constexpr int kMost = Simd::kTilePixels;
    switch (pixels) {
      case 1: return count_for_pixels<Loop, 1>(blocks);
      case 2: return count_for_pixels<Loop, kMost < 2 ? kMost : 2>(blocks);
      case 3: return count_for_pixels<Loop, kMost < 3 ? kMost : 3>(blocks);
      case 4: return count_for_pixels<Loop, kMost < 4 ? kMost : 4>(blocks);
      case 5: return count_for_pixels<Loop, kMost < 5 ? kMost : 5>(blocks);
      default: return count_for_pixels<Loop, kMost>(blocks);
    }
  }

  // Takes the taps outside the map out of x again, if they count as 0.
  static void correct(const Conv& conv, const uint32_t* const* taps, int stride, const int32_t* correction,
                      int32_t* x) {
    for (int tap = 0; tap < conv.taps; ++tap) {
      if (taps[tap * stride] != conv.outside) continue;
      for (int i = 0; i < kTile; ++i) x[i] += correction[tap * kTile + i];
    }
  }

  static void bconv(const Conv& conv, int group, int tile, int64_t first, int64_t last) {
    const size_t tile_index = static_cast<size_t>(group) * conv.tiles + tile;
    const uint8_t* filter = conv.filter + packed_filter_bytes(tile_index, conv.taps, conv.words);
    if constexpr (kHasApart) {
      if (uint8_t* apart = take_apart(conv, tile, filter, last - first)) {
        run_tiles<typename Inner::Apart>(conv, group, tile, apart, first, last);
        return free(apart);
      }
    }
    run_tiles<Inner>(conv, group, tile, filter, first, last);
  }

  static constexpr bool kHasApart = Inner::Apart::kBytesPerWord != Inner::kBytesPerWord;

  // A copy of a tile's filter for Inner::Apart; null if that is not worth its while, or if there is no memory.
  static uint8_t* take_apart(const Conv& conv, int tile, const uint8_t* filter, int64_t uses) {
    constexpr int64_t kFewestUses = 3;
    if (uses < kFewestUses) return nullptr;
    const size_t words = static_cast<size_t>(conv.taps) * conv.words * blocks_of_tile(conv.channels, tile) * kBlock;
    void* apart = nullptr;
    if (posix_memalign(&apart, kAlignment, words * Inner::Apart::kBytesPerWord) != 0) return nullptr;
    Inner::take_apart(filter, words * Inner::kBytesPerWord, static_cast<uint8_t*>(apart));
    return static_cast<uint8_t*>(apart);
  }

  template <class Loop>
  static void run_tiles(const Conv& conv, int group, int tile, const uint8_t* filter, int64_t first, int64_t last) {
    alignas(64) int32_t twice_counts[kPixels][kMaxTileChannels];
    const int channel_in_group = tile * kTile;
    const int left = conv.channels - channel_in_group;
    const int channels = left < kTile ? left : kTile;
    const int blocks = blocks_of_tile(conv.channels, tile);
    if (blocks < Simd::kTileBlocks) memset(twice_counts, 0, sizeof twice_counts);  // what no block counts
    const size_t tile_index = static_cast<size_t>(group) * conv.tiles + tile;
    const size_t parameters = tile_index * kTile;
    const int channel = group * conv.channels + channel_in_group;
    const Count count_whole_tile = count_for<Loop>(kPixels, blocks);
    for (int64_t pixel_tile = first; pixel_tile < last; ++pixel_tile) {
      const int64_t pixel = pixel_tile * kPixels;
      const int pixels = conv.pixels - pixel < kPixels ? static_cast<int>(conv.pixels - pixel) : kPixels;
      const uint32_t* const* taps = conv.taps_of_pixels + pixel * conv.taps;
      const Count count = pixels == kPixels ? count_whole_tile : count_for<Loop>(pixels, blocks);
      count(taps, conv.taps, conv.words, group * conv.words, filter, twice_counts[0]);
      const bool corrected = conv.outside_correction != nullptr && conv.tile_has_outside[pixel_tile];
      const int32_t* correction = corrected ? conv.outside_correction + parameters * conv.taps : nullptr;
      if (corrected) {
        for (int p = 0; p < pixels; ++p) correct(conv, taps + p, pixels, correction, twice_counts[p]);
      }
      Output<Simd>::write(conv, {twice_counts[0], conv.first_row + pixel, pixels, channel, channels, parameters});
    }
  }

  static constexpr Kernels kernels() {
    return {Simd::kName,
            Simd::cpu_has_it,
            kTile,
            kPixels,
            packed_filter_bytes,
            pack_filter,
            bconv,
            elementwise<Simd>,
            Pack<Simd>::pack_float,
            Pack<Simd>::pack_int8,
            Pack<Simd>::unpack_float,
            Pack<Simd>::unpack_int8,
            BitPool::run,
            float_pool};
  }
};

}  // namespace
}  // namespace mbnn

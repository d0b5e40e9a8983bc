// What is done to float values while they are at hand: the steps of an Epilogue, and where the result goes.
#pragma once

#include <string.h>

#include "kernels/kernels.h"

namespace mbnn {
namespace {

template <class Operation>
void each(float* y, const float* operand, const Operation& operation) {
  for (int i = 0; i < kWordBits; ++i) y[i] = operation(y[i], operand[i]);
}

// A step on the 32 values of one word. `operand` has as many.
inline void apply(const Step& step, const float* operand, float* y) {
  switch (step.kind) {
    case Step::kAdd: return each(y, operand, [](float a, float b) { return a + b; });
    case Step::kSubtract: return each(y, operand, [](float a, float b) { return a - b; });
    case Step::kSubtractFrom: return each(y, operand, [](float a, float b) { return b - a; });
    case Step::kMultiply: return each(y, operand, [](float a, float b) { return a * b; });
    case Step::kPrelu: return each(y, operand, [](float a, float b) { return a < 0.0f ? a * b : a; });
    case Step::kClamp:
      for (int i = 0; i < kWordBits; ++i) {
        y[i] = y[i] < step.low ? step.low : y[i];
        y[i] = y[i] > step.high ? step.high : y[i];
      }
  }
}

inline const float* operand_at(const Step& step, int64_t row, int channels, int channel) {
  if (step.rows_per_operand_row == 0) return step.operand + channel;
  // Most operands have a row for each row, and a division takes longer than the step.
  const int64_t operand_row = step.rows_per_operand_row == 1 ? row : row / step.rows_per_operand_row;
  return step.operand + operand_row * channels + channel;
}

template <class Simd>
inline __attribute__((always_inline)) void store(const Epilogue& epilogue, int64_t row, int channel,
                                                        int count, const float* y) {
  const bool whole = count >= kWordBits;
  if (epilogue.floats != nullptr) {
    float* out = epilogue.floats + row * epilogue.channels + channel;
    if (whole) {  // a copy of known length is a few stores
      memcpy(out, y, kWordBits * sizeof(float));
    } else {
      memcpy(out, y, count * sizeof(float));
    }
  }
  if (epilogue.bits != nullptr) {
    const uint32_t valid = whole ? ~0u : (1u << count) - 1;
    const int words = (epilogue.channels - 1) / kWordBits + 1;
    epilogue.bits[row * words + channel / kWordBits] = Simd::below_zero(y) & valid;
  }
}

// The steps on one word's values, `count` of which are there, and out with them.
template <class Simd>
inline __attribute__((always_inline)) void finish(const Epilogue& epilogue, int64_t row, int channel,
                                                         int count, float* y) {
  const bool whole = count >= kWordBits;
  const size_t bytes = count * sizeof(float);
  for (int i = 0; i < epilogue.count; ++i) {
    const Step& step = epilogue.steps[i];
    const float* operand = nullptr;
    float padded[kWordBits];
    if (step.kind != Step::kClamp) {
      operand = operand_at(step, row, epilogue.channels, channel);
      if (!whole) {
        memset(padded, 0, sizeof padded);
        memcpy(padded, operand, bytes);
        operand = padded;
      }
    }
    apply(step, operand, y);
  }
  store<Simd>(epilogue, row, channel, count, y);
}

template <class Simd>
void elementwise(const Epilogue& epilogue, const float* in, int64_t first, int64_t last) {
  const int channels = epilogue.channels;
  for (int64_t row = first; row < last; ++row) {
    for (int channel = 0; channel < channels; channel += kWordBits) {
      const int left = channels - channel;
      alignas(64) float y[kWordBits] = {};
      memcpy(y, in + row * channels + channel, (left < kWordBits ? left : kWordBits) * sizeof(float));
      finish<Simd>(epilogue, row, channel, left, y);
    }
  }
}

}  // namespace
}  // namespace mbnn

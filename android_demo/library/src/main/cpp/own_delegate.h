// The delegate of this very library, by the functions that TFLite's external delegates have.
#pragma once

#include <stddef.h>

#include "delegate/tflite_abi.h"

namespace mbnn {

// A delegate of that many threads; `isa` null: the best instruction set of this CPU. Null if the library refuses that;
// `why` says so.
TfLiteDelegate* create_delegate(int threads, const char* isa, char* why, size_t size);
void destroy_delegate(TfLiteDelegate*);

const char* version();
const char* default_isa();

}  // namespace mbnn

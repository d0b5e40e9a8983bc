// TFLite's C API, found at run time: in the library of the Android artifact, or in one for Linux.
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "delegate/tflite_abi.h"

struct TfLiteModel;
struct TfLiteInterpreterOptions;
struct TfLiteInterpreter;

// The first field is all that is set; every library fills in as many bytes as its own has.
struct XnnpackOptions {
  int32_t num_threads;
  uint8_t further[508];
};

namespace mbnn {

struct TfLite {
  const char* (*version)();
  TfLiteModel* (*model_create)(const void* bytes, size_t size);
  void (*model_delete)(TfLiteModel*);
  TfLiteInterpreterOptions* (*options_create)();
  void (*options_delete)(TfLiteInterpreterOptions*);
  void (*set_num_threads)(TfLiteInterpreterOptions*, int32_t);
  void (*set_error_reporter)(TfLiteInterpreterOptions*, void (*)(void*, const char*, va_list), void*);
  void (*add_delegate)(TfLiteInterpreterOptions*, TfLiteDelegate*);
  TfLiteInterpreter* (*create)(const TfLiteModel*, const TfLiteInterpreterOptions*);
  void (*destroy)(TfLiteInterpreter*);
  TfLiteStatus (*allocate)(TfLiteInterpreter*);
  TfLiteStatus (*modify)(const TfLiteInterpreter*, TfLiteDelegate*);
  TfLiteStatus (*invoke)(TfLiteInterpreter*);
  int32_t (*input_count)(const TfLiteInterpreter*);
  TfLiteTensor* (*input)(const TfLiteInterpreter*, int32_t);
  int32_t (*output_count)(const TfLiteInterpreter*);
  const TfLiteTensor* (*output)(const TfLiteInterpreter*, int32_t);
  size_t (*bytes)(const TfLiteTensor*);
  int (*type)(const TfLiteTensor*);
  TfLiteStatus (*copy_in)(TfLiteTensor*, const void*, size_t);
  TfLiteStatus (*copy_out)(const TfLiteTensor*, void*, size_t);
  const char* (*name)(const TfLiteTensor*);
  int32_t (*num_dims)(const TfLiteTensor*);
  int32_t (*dim)(const TfLiteTensor*, int32_t);
  TfLiteQuantizationParams (*quantization)(const TfLiteTensor*);
  XnnpackOptions (*xnnpack_options)();  // null, as the next ones, where the library has no XNNPACK
  TfLiteDelegate* (*xnnpack_create)(const XnnpackOptions*);
  void (*xnnpack_delete)(TfLiteDelegate*);
};

// Loads the library of that path, or one of the usual names in `folder` or, which is all where that is null, wherever
// the system looks. False if there is none; `why` says so.
bool load_tflite(const char* path, const char* folder, TfLite* tflite, char* why, size_t size);

// Our library.
struct Library {
  TfLiteDelegate* (*create)(const char* const* keys, const char* const* values, size_t count,
                            void (*report)(const char*));
  void (*destroy)(TfLiteDelegate*);
  const char* (*version)();
  const char* (*default_isa)();
  bool (*tile)(const char* isa, int* pixels, int* channels);
  double (*peak_gmacs)(const char* isa, int milliseconds);
};

bool load_library(const char* path, const char* folder, Library* library, char* why, size_t size);

}  // namespace mbnn

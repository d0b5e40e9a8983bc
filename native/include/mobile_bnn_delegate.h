/* The library's whole interface, for C and C++: what TFLite's external delegate mechanism looks for, and what says how the
 * library computes. libmobile_bnn_delegate.so and, on Android, libmobile_bnn_jni.so export these functions. */
#ifndef MOBILE_BNN_DELEGATE_H_
#define MOBILE_BNN_DELEGATE_H_

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* TFLite's own, so that TfLiteInterpreterOptionsAddDelegate takes it. */
struct TfLiteDelegate;

/* Makes a delegate, which one interpreter at a time may use.
 *
 * keys, values: the options by name, `count` of each; native/README.md lists them. They are copied.
 * report_error: is called with why there is no delegate, one line that is valid until it returns, but for a lack of memory;
 *     null: nobody is told.
 *
 * Null if an option is unknown or has a bad value, if this CPU lacks the instruction set, and without memory. */
struct TfLiteDelegate* tflite_plugin_create_delegate(const char* const* keys, const char* const* values, size_t count,
                                                     void (*report_error)(const char* message));

/* Frees a delegate, after the interpreters that used it. Null is allowed. */
void tflite_plugin_destroy_delegate(struct TfLiteDelegate* delegate);

/* The version, such as "0.1.0". */
const char* mobile_bnn_version(void);

/* The instruction set that runs where no option names one, such as "neon_dot". */
const char* mobile_bnn_default_isa(void);

/* The tile of the binary convolution: so many output pixels times so many channels are computed together. `isa` null:
 * the default one. False if the library has no instruction set of that name. */
bool mobile_bnn_tile(const char* isa, int* pixels, int* channels);

/* The most binary multiply-accumulates a second, in 1e9, that one core does with an instruction set, timed for so many
 * milliseconds; 0 if the library or this CPU has none of that name. `isa` null: the default one. */
double mobile_bnn_peak_gmacs(const char* isa, int milliseconds);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif

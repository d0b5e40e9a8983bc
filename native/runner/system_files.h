// Reads the short texts in which Linux shows a system: files of /proc and /sys.
#pragma once

#include <stddef.h>

namespace mbnn {

// The first bytes of a file, without spaces around them; false, and an empty text, if there are none.
bool read_text(const char* path, char* to, size_t size);

// A file that holds one decimal number and nothing else.
bool read_number(const char* path, long long* number);

}  // namespace mbnn

#include "runner/system_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

namespace mbnn {
namespace {

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\0'; }

}  // namespace

bool read_text(const char* path, char* to, size_t size) {
  to[0] = '\0';
  FILE* file = fopen(path, "r");
  if (file == nullptr) return false;
  size_t count = fread(to, 1, size - 1, file);  // 0 of a sensor that is off
  fclose(file);
  while (count > 0 && is_space(to[count - 1])) --count;
  size_t first = 0;
  while (first < count && is_space(to[first])) ++first;
  memmove(to, to + first, count - first);
  to[count - first] = '\0';
  return count > first;
}

bool read_number(const char* path, long long* number) {
  char text[32];
  if (!read_text(path, text, sizeof text)) return false;
  const char* digits = text[0] == '-' ? text + 1 : text;
  const size_t count = strlen(digits);
  if (count == 0 || count > 18) return false;
  for (const char* at = digits; *at != '\0'; ++at) {
    if (*at < '0' || *at > '9') return false;
  }
  *number = strtoll(text, nullptr, 10);
  return true;
}

}  // namespace mbnn

// What Android's libc.so and liblog.so have and musl lacks, so that Android's programs run on musl's loader: it is
// preloaded. Numbers and sizes are bionic's on 64-bit devices.
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int* __errno(void) { return &errno; }

// Programs for API 22 and older know stdin, stdout and stderr as elements of an array.
enum { kFileBytes = 152 };
char __sF[3][kFileBytes];

static FILE* real(FILE* file) {
  FILE* const standard[] = {stdin, stdout, stderr};
  for (int i = 0; i < 3; ++i)
    if ((char*)file == __sF[i]) return standard[i];
  return file;
}

int vfprintf(FILE* file, const char* format, va_list arguments) {
  char* text = NULL;
  const int size = vasprintf(&text, format, arguments);
  if (size >= 0) fwrite_unlocked(text, 1, size, real(file));
  free(text);
  return size;
}

int fprintf(FILE* file, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int size = vfprintf(file, format, arguments);
  va_end(arguments);
  return size;
}

size_t fwrite(const void* data, size_t size, size_t count, FILE* file) {
  return fwrite_unlocked(data, size, count, real(file));
}

int fputs(const char* text, FILE* file) { return fwrite(text, 1, strlen(text), file) == strlen(text) ? 0 : EOF; }

int fputc(int byte, FILE* file) { return putc_unlocked(byte, real(file)); }

int fflush(FILE* file) { return fflush_unlocked(file == NULL ? NULL : real(file)); }

// What the compiler calls with -D_FORTIFY_SOURCE.
void* __memmove_chk(void* to, const void* from, size_t size, size_t room) {
  if (size > room) abort();
  return memmove(to, from, size);
}
void* __memcpy_chk(void* to, const void* from, size_t size, size_t room) { return __memmove_chk(to, from, size, room); }
void* __memset_chk(void* to, int byte, size_t size, size_t room) {
  if (size > room) abort();
  return memset(to, byte, size);
}
size_t __strlen_chk(const char* text, size_t room) {
  const size_t size = strlen(text);
  if (size >= room) abort();
  return size;
}
int __open_2(const char* path, int flags) { return open(path, flags); }
ssize_t __read_chk(int file, void* to, size_t size, size_t room) {
  if (size > room) abort();
  return read(file, to, size);
}
int __vsnprintf_chk(char* to, size_t size, int flags, size_t room, const char* format, va_list arguments) {
  (void)flags;
  if (size > room) abort();
  return vsnprintf(to, size, format, arguments);
}

long long strtoll_l(const char* text, char** end, int base, void* locale) {
  (void)locale;
  return strtoll(text, end, base);
}
unsigned long long strtoull_l(const char* text, char** end, int base, void* locale) {
  (void)locale;
  return strtoull(text, end, base);
}

// bionic numbers what sysconf tells in its own way.
long sysconf(int name) {
  static long (*next)(int);
  extern void* dlsym(void*, const char*);
  if (next == NULL) next = (long (*)(int))dlsym((void*)-1, "sysconf");
  switch (name) {
    case 0x06: return next(_SC_CLK_TCK);
    case 0x0b: return next(_SC_OPEN_MAX);
    case 0x27: case 0x28: return next(_SC_PAGESIZE);
    case 0x60: return next(_SC_NPROCESSORS_CONF);
    case 0x61: return next(_SC_NPROCESSORS_ONLN);
    case 0x62: return next(_SC_PHYS_PAGES);
    case 0x63: return next(_SC_AVPHYS_PAGES);
    default: errno = EINVAL; return -1;
  }
}

void android_set_abort_message(const char* message) { fprintf(stderr, "abort: %s\n", message); }

// The property of that name, out of /system/build.prop; returns its length.
int __system_property_get(const char* name, char* value) {
  char line[512];
  const size_t size = strlen(name);
  value[0] = 0;
  FILE* file = fopen("/system/build.prop", "r");
  if (file == NULL) return 0;
  while (fgets(line, sizeof line, file) != NULL) {
    if (strncmp(line, name, size) != 0 || line[size] != '=') continue;
    line[strcspn(line, "\n")] = 0;
    strncpy(value, line + size + 1, 91);
    value[91] = 0;
    break;
  }
  fclose(file);
  return (int)strlen(value);
}

// liblog.so. On a phone this goes to logcat.
int __android_log_vprint(int level, const char* tag, const char* format, va_list arguments) {
  (void)level;
  fprintf(stderr, "%s: ", tag);
  const int size = vfprintf(stderr, format, arguments);
  fputs("\n", stderr);
  return size;
}
int __android_log_print(int level, const char* tag, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int size = __android_log_vprint(level, tag, format, arguments);
  va_end(arguments);
  return size;
}
int __android_log_write(int level, const char* tag, const char* text) {
  return __android_log_print(level, tag, "%s", text);
}

// How Android's start file (crtbegin_dynamic.o) begins a program; musl's loader runs the constructors.
extern int __libc_start_main(int (*)(int, char**, char**), int, char**, void (*)(void), void (*)(void), void (*)(void));
void __libc_init(void* stack, void (*at_exit)(void), int (*program)(int, char**, char**), const void* structors) {
  (void)at_exit;
  (void)structors;
  long* const arguments = stack;
  exit(__libc_start_main(program, (int)*arguments, (char**)(arguments + 1), 0, 0, 0));
}

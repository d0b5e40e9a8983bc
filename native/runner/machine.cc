#include "runner/machine.h"

#include <dlfcn.h>
#include <stdint.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "runner/system_files.h"

namespace mbnn {
namespace {

constexpr int kMostCores = 256;

// Of Android's settings; an empty text elsewhere.
void property(const char* name, char* value) {
  using Get = int (*)(const char*, char*);
  Get get = nullptr;
  void* symbol = dlsym(RTLD_DEFAULT, "__system_property_get");
  memcpy(&get, &symbol, sizeof symbol);
  value[0] = '\0';
  if (get != nullptr) get(name, value);
}

// The value of the first line `key : value` of a file of /proc.
bool field(const char* text, const char* key, char* value, size_t size) {
  const size_t length = strlen(key);
  for (const char* line = text; line != nullptr; line = strchr(line, '\n')) {
    while (*line == '\n') ++line;
    if (strncmp(line, key, length) != 0) continue;
    const char* at = line + length;
    while (*at == ' ' || *at == '\t') ++at;
    if (*at != ':') continue;
    ++at;
    while (*at == ' ') ++at;
    size_t count = strcspn(at, "\n");
    if (count >= size) count = size - 1;
    memcpy(value, at, count);
    value[count] = '\0';
    return true;
  }
  return false;
}

bool has_word(const char* text, const char* word) {
  const size_t length = strlen(word);
  for (const char* at = strstr(text, word); at != nullptr; at = strstr(at + 1, word)) {
    const bool begins = at == text || at[-1] == ' ';
    if (begins && (at[length] == ' ' || at[length] == '\0')) return true;
  }
  return false;
}

struct Core {
  int number;
  long long khz, capacity;
};

int read_cores(Core* cores) {
  int count = 0;
  for (int cpu = 0; cpu < kMostCores; ++cpu) {
    char path[128];
    Core core = {cpu, 0, 0};
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/cpufreq/cpuinfo_max_freq", cpu);
    read_number(path, &core.khz);
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/cpu_capacity", cpu);
    read_number(path, &core.capacity);
    if (core.khz != 0 || core.capacity != 0) cores[count++] = core;
  }
  return count;
}

bool is_faster(const Core& a, const Core& b) {
  return a.capacity != b.capacity ? a.capacity > b.capacity : a.khz > b.khz;
}

bool is_alike(const Core& a, const Core& b) { return a.capacity == b.capacity && a.khz == b.khz; }

void write_kind(const char* name, const Core* cores, int count, bool* first, Text* to) {
  to->format("%s{\"name\":\"%s\",\"cpus\":[", *first ? "" : ",", name);
  *first = false;
  bool first_cpu = true;
  for (int cpu = 0; cpu < kMostCores; ++cpu) {  // in the order of their numbers
    for (int i = 0; i < count; ++i) {
      if (cores[i].number != cpu) continue;
      to->format("%s%d", first_cpu ? "" : ",", cpu);
      first_cpu = false;
    }
  }
  to->add("],\"max_mhz\":");
  if (cores[0].khz == 0) {
    to->add("null}");
  } else {
    to->format("%.3f}", static_cast<double>(cores[0].khz) / 1000);
  }
}

// The fastest kind first; of more than three kinds those between the fastest and the slowest are "middle".
void write_kinds(Text* to) {
  Core cores[kMostCores];
  const int count = read_cores(cores);
  for (int i = 1; i < count; ++i) {  // keeps the order of equal ones
    const Core core = cores[i];
    int j = i;
    for (; j > 0 && is_faster(core, cores[j - 1]); --j) cores[j] = cores[j - 1];
    cores[j] = core;
  }
  to->add("[");
  bool first = true;
  if (count > 0) {
    int big = 1, little = 1;
    while (big < count && is_alike(cores[big], cores[0])) ++big;
    while (little < count && is_alike(cores[count - 1 - little], cores[count - 1])) ++little;
    if (big == count) {
      write_kind("all", cores, count, &first, to);
    } else {
      write_kind("big", cores, big, &first, to);
      if (count - big > little) write_kind("middle", cores + big, count - big - little, &first, to);
      write_kind("little", cores + count - little, little, &first, to);
    }
  }
  to->add("]");
}

// Not by sysconf, whose numbers differ among C libraries.
int count_cores() {
  int count = 0;
  for (int cpu = 0; cpu < kMostCores; ++cpu) {
    char path[64];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d", cpu);
    if (access(path, F_OK) == 0) ++count;
  }
  return count == 0 ? 1 : count;
}

long long memory_bytes() {
  char text[4096], value[64];
  if (!read_text("/proc/meminfo", text, sizeof text)) return 0;
  return field(text, "MemTotal", value, sizeof value) ? 1024 * strtoll(value, nullptr, 10) : 0;
}

void write_flags(const char* flags, Text* to) {
  static const char* const kKnown[] = {"popcnt",   "ssse3",   "avx",      "avx2",             "fma",
                                       "avx512f",  "avx512bw", "avx512vl", "avx512_vpopcntdq", "avx512vbmi",
                                       "avx512_vnni", "avx512_bitalg", "gfni", "asimd", "asimddp", "fphp", "i8mm", "sve"};
  to->add("[");
  bool first = true;
  for (const char* flag : kKnown) {
    if (!has_word(flags, flag)) continue;
    to->format("%s\"%s\"", first ? "" : ",", flag);
    first = false;
  }
  to->add("]");
}

void write_text(const char* name, const char* value, Text* to) {
  to->format(",\"%s\":", name);
  to->quote(value);
}

}  // namespace

void write_machine(Text* to) {
  static char cpuinfo[1 << 16];
  if (!read_text("/proc/cpuinfo", cpuinfo, sizeof cpuinfo)) cpuinfo[0] = '\0';
  utsname system = {};
  uname(&system);
  char board[128] = "", name[128] = "", flags[4096] = "", soc[128] = "", release[128] = "", api[128] = "";
  read_text("/proc/device-tree/model", board, sizeof board);
  property("ro.soc.model", soc);
  if (soc[0] == '\0') property("ro.board.platform", soc);
  property("ro.build.version.release", release);
  property("ro.build.version.sdk", api);
  char model[128];
  property("ro.product.model", model);
  if (model[0] != '\0') snprintf(board, sizeof board, "%s", model);
  if (!field(cpuinfo, "model name", name, sizeof name)) snprintf(name, sizeof name, "%s", soc);
  if (name[0] == '\0' && !field(cpuinfo, "Hardware", name, sizeof name)) {
    snprintf(name, sizeof name, "%s", board[0] == '\0' ? "unknown" : board);
  }
  if (!field(cpuinfo, "flags", flags, sizeof flags)) field(cpuinfo, "Features", flags, sizeof flags);
  char governor[64];
  if (!read_text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", governor, sizeof governor)) {
    snprintf(governor, sizeof governor, "unknown");
  }
  char load[64];
  const double load_1min = read_text("/proc/loadavg", load, sizeof load) ? strtod(load, nullptr) : 0;
  char distribution[256] = "", libc[160] = "";
  if (release[0] != '\0') snprintf(distribution, sizeof distribution, "Android %s", release);
  if (api[0] != '\0') snprintf(libc, sizeof libc, "bionic API %s", api);
  // uname of an emulated program is that of the emulator's target, cpuinfo is of the processor that there is.
#ifdef __aarch64__
  char vendor[64];
  const bool emulated = field(cpuinfo, "vendor_id", vendor, sizeof vendor) || strstr(cpuinfo, "QEMU") != nullptr;
#else
  const bool emulated = false;
#endif
  char text[256];
  snprintf(text, sizeof text, "%s %s", system.sysname, system.release);
  to->add("{\"system\":");
  to->quote(text);
  write_text("cpu", name, to);
  write_text("architecture", system.machine, to);
  to->format(",\"logical_cores\":%d,\"memory_bytes\":%lld", count_cores(), memory_bytes());
  write_text("governor", governor, to);
  to->add(",\"flags\":");
  write_flags(flags, to);
  to->format(",\"load_1min\":%.2f,\"python\":\"\"", load_1min);
  write_text("board", board, to);
  write_text("distribution", distribution, to);
  to->format(",\"bits\":%d", static_cast<int>(8 * sizeof(void*)));
  write_text("libc", libc, to);
  to->add(",\"android_api\":");
  if (api[0] == '\0') {
    to->add("null");
  } else {
    to->format("%ld", strtol(api, nullptr, 10));
  }
  to->add(",\"cores\":");
  write_kinds(to);
  to->format(",\"emulated\":%s}", emulated ? "true" : "false");
}

}  // namespace mbnn

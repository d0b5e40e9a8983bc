#include "runner/condition.h"

#include <limits.h>
#include <unistd.h>

#include "runner/system_files.h"

namespace mbnn {
namespace {

constexpr int kMostCores = 256;
constexpr int kMostSensors = 256;

// By their bits in the firmware's word; the same 16 bits higher: since the system started.
constexpr const char* kRaspberryPi[] = {"under-voltage", "frequency capped", "throttled", "soft temperature limit"};
constexpr int kFlags = 4;

void write_temperature(const char* system, Text* to) {
  bool found = false;
  double hottest = 0;
  for (int zone = 0; zone < kMostSensors; ++zone) {
    char path[PATH_MAX];
    long long milli;
    snprintf(path, sizeof path, "%s/class/thermal/thermal_zone%d/temp", system, zone);
    if (!read_number(path, &milli)) continue;
    const double celsius = static_cast<double>(milli) / 1000;
    if (!found || celsius > hottest) hottest = celsius;
    found = true;
  }
  if (found) {
    to->format("%.3f", hottest);
  } else {
    to->add("null");
  }
}

bool has_core(const char* system, int cpu) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/devices/system/cpu/cpu%d", system, cpu);
  return access(path, F_OK) == 0;
}

bool clock_of(const char* system, int cpu, double* mhz) {
  char path[PATH_MAX];
  long long khz;
  snprintf(path, sizeof path, "%s/devices/system/cpu/cpu%d/cpufreq/scaling_cur_freq", system, cpu);
  if (!read_number(path, &khz) || khz <= 0) return false;
  *mhz = static_cast<double>(khz) / 1000;
  return true;
}

// Nothing where one of the cores does not tell.
void write_clocks(const char* system, const double* cpus, int count, Text* to) {
  double clocks[kMostCores];
  int found = 0;
  bool told = true;
  for (int i = 0; told && i < (count == 0 ? kMostCores : count) && found < kMostCores; ++i) {
    if (count == 0 && !has_core(system, i)) continue;
    told = clock_of(system, count == 0 ? i : static_cast<int>(cpus[i]), &clocks[found++]);
  }
  if (!told || found == 0) return to->add("null");
  for (int i = 0; i < found; ++i) to->format("%s%.3f", i == 0 ? "[" : ",", clocks[i]);
  to->add("]");
}

// What holds now comes first, then what has held since the system started.
void write_flags(unsigned long long flags, Text* to) {
  bool first = true;
  to->add("[");
  for (int since = 0; since < 2; ++since) {
    for (int bit = 0; bit < kFlags; ++bit) {
      const bool now = flags >> bit & 1, ever = flags >> (16 + bit) & 1;
      if (since == 0 ? !now : now || !ever) continue;
      to->format("%s\"%s%s\"", first ? "" : ",", kRaspberryPi[bit], since == 0 ? " now" : "");
      first = false;
    }
  }
  to->add("]");
}

// How often x86 processors have slowed down for heat: 0, some, or -1 if they do not count.
int heat_count(const char* system) {
  static const char* const kCounts[] = {"core", "package"};
  int heat = -1;
  for (int cpu = 0; cpu < kMostCores; ++cpu) {
    if (!has_core(system, cpu)) continue;
    for (const char* kind : kCounts) {
      char path[PATH_MAX];
      long long count;
      snprintf(path, sizeof path, "%s/devices/system/cpu/cpu%d/thermal_throttle/%s_throttle_count", system, cpu, kind);
      if (!read_number(path, &count) || count < 0) continue;
      if (heat < 1) heat = count > 0 ? 1 : 0;
    }
  }
  return heat;
}

void write_throttled(const char* system, Text* to) {
  char path[PATH_MAX], text[64];
  snprintf(path, sizeof path, "%s/devices/platform/soc/soc:firmware/get_throttled", system);
  if (read_text(path, text, sizeof text)) {
    char* end = nullptr;
    const unsigned long long flags = strtoull(text, &end, 16);
    if (*end != '\0') return to->add("null");
    return write_flags(flags, to);
  }
  const int heat = heat_count(system);
  to->add(heat < 0 ? "null" : heat == 0 ? "[]" : "[\"heat\"]");
}

}  // namespace

void write_condition(const char* system, const double* cpus, int count, Text* to) {
  to->add("{\"temperature_c\":");
  write_temperature(system, to);
  to->add(",\"mhz\":");
  write_clocks(system, cpus, count, to);
  to->add(",\"throttled\":");
  write_throttled(system, to);
  to->add("}");
}

}  // namespace mbnn

// Measures the library's operators beside the limits of the machine that runs them, all in one run.
//
// usage: peak [--json FILE] [--rounds N]
#include <stdio.h>
#include <string.h>

#include <fstream>
#include <memory>

#include "benchmarks/inner_loops.h"
#include "benchmarks/layer.h"
#include "benchmarks/timing.h"

LoopData loop_data;

namespace {

using mbnn::Kernels;

// A task, what it is about, and how much it does in one run.
struct Row {
  std::string group, isa, name;
  int threads = 1;
  const char* unit = "";
  double work = 0;    // of the unit, times 1e9
  int limit = -1;     // the row that says what the machine can do
  bool is_peak = false;  // of the kernels of this instruction set
};

struct Shape {
  int size, channels;
};
constexpr Shape kConvolutions[] = {{56, 64}, {28, 128}, {14, 256}, {7, 512}};
constexpr Shape kMaps[] = {{56, 64}, {28, 128}, {14, 256}, {7, 512}, {224, 64}};
constexpr int kDense[] = {512, 4096};

// What the CPU calls itself.
std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  }
  return "unknown CPU";
}

std::string name_of(Shape shape) {
  const std::string size = std::to_string(shape.size);
  return size + "x" + size + "x" + std::to_string(shape.channels);
}

class Benchmark {
 public:
  void add_loops(const InnerLoop* loops, int count) {
    for (int i = 0; i < count; ++i) {
      if (!loops[i].cpu_has_it()) continue;
      Row row{"inner loop", loops[i].isa, loops[i].name, 1, "Gbit-MAC/s", loops[i].bit_macs};
      row.is_peak = loops[i].is_peak;
      add(row, loops[i].run);
    }
  }

  void add_kernels(const char* isa) {
    const Kernels* kernels = mbnn::find_kernels(isa);
    if (kernels == nullptr || !kernels->cpu_has_it()) return;
    for (const int threads : {1, 2}) {
      mbnn::Machine& machine = add_machine(kernels, threads);
      for (const Shape& shape : kConvolutions) add_bconv(machine, 3, shape);
      for (const int channels : kDense) add_bconv(machine, 1, {1, channels});
      if (threads == 1) for (const Shape& shape : kMaps) add_maps(machine, shape);
    }
  }

  void run(int rounds) {
    time_in_turns(tasks_, rounds);
    // One loop alone may be timed too low, and no kernel is faster than its limit: the fastest loop of the set counts.
    for (Row& row : rows_) {
      if (row.limit >= 0 && rows_[row.limit].group == "inner loop") row.limit = fastest_loop(row.isa);
    }
  }

  // Group by group, each where it first appears.
  void print() const {
    std::vector<bool> printed(rows_.size());
    for (size_t first = 0; first < rows_.size(); ++first) {
      if (printed[first]) continue;
      printf("\n%s, %s\n", rows_[first].group.c_str(), rows_[first].isa.c_str());
      for (size_t i = first; i < rows_.size(); ++i) {
        if (rows_[i].group != rows_[first].group || rows_[i].isa != rows_[first].isa) continue;
        print_row(i);
        printed[i] = true;
      }
    }
  }

  void write_json(FILE* file, const std::string& cpu) const {
    fprintf(file, "{\"cpu\": \"%s\", \"compiler\": \"%s\", \"rows\": [", cpu.c_str(), __VERSION__);
    for (size_t i = 0; i < rows_.size(); ++i) {
      const Row& row = rows_[i];
      fprintf(file, "%s\n  {\"group\": \"%s\", \"isa\": \"%s\", \"name\": \"%s\", \"threads\": %d, \"us\": %.4f, "
              "\"speed\": %.3f, \"unit\": \"%s\"", i == 0 ? "" : ",", row.group.c_str(), row.isa.c_str(),
              row.name.c_str(), row.threads, tasks_[i].best_seconds * 1e6, speed(i), row.unit);
      if (row.limit >= 0) fprintf(file, ", \"share_of_limit\": %.4f", speed(i) / speed(row.limit));
      fprintf(file, "}");
    }
    fprintf(file, "\n]}\n");
  }

 private:
  void print_row(size_t i) const {
    const Row& row = rows_[i];
    printf("  %-36s %d thread%c %10.2f us %8.1f %-11s", row.name.c_str(), row.threads, row.threads == 1 ? ' ' : 's',
           tasks_[i].best_seconds * 1e6, speed(i), row.unit);
    if (row.limit >= 0) {
      const Row& limit = rows_[row.limit];
      printf("%6.1f %% of %s", 100 * speed(i) / speed(row.limit),
             limit.group == row.group ? "one thread" : limit.name.c_str());
    }
    printf("\n");
  }

  double speed(size_t i) const { return rows_[i].work / tasks_[i].best_seconds * 1e-9; }

  int add(const Row& row, std::function<void()> run) {
    rows_.push_back(row);
    tasks_.push_back({row.name, std::move(run)});
    return static_cast<int>(rows_.size()) - 1;
  }

  mbnn::Machine& add_machine(const Kernels* kernels, int threads) {
    machines_.push_back(std::make_unique<mbnn::Machine>());
    machines_.back()->kernels = kernels;
    if (!machines_.back()->pool.start(threads)) abort();
    return *machines_.back();
  }

  Layer& add_layer(const char* operator_name, mbnn::Machine& machine) {
    layers_.push_back(std::make_unique<Layer>(operator_name, machine));
    return *layers_.back();
  }

  // The inner loop of the library's own tile.
  int peak(const std::string& isa) const { return find([&](const Row& row) { return row.isa == isa && row.is_peak; }); }

  int fastest_loop(const std::string& isa) const {
    int best = peak(isa);
    for (size_t i = 0; i < rows_.size(); ++i) {
      if (rows_[i].group == "inner loop" && rows_[i].isa == isa && speed(i) > speed(best)) best = static_cast<int>(i);
    }
    return best;
  }

  template <class Predicate>
  int find(const Predicate& predicate) const {
    for (size_t i = 0; i < rows_.size(); ++i) if (predicate(rows_[i])) return static_cast<int>(i);
    return -1;
  }

  // A convolution with as many outputs as inputs; dense if the filter is as large as the map.
  void add_bconv(mbnn::Machine& machine, int filter, Shape shape) {
    const int size = shape.size, channels = shape.channels;
    Layer& layer = add_layer("LceBconv2d", machine);
    layer.add_input(kTfLiteInt32, {1, size, size, channels / 32}, false);
    layer.add_input(kTfLiteInt32, {channels, filter, filter, channels / 32}, true);
    layer.add_input(kTfLiteFloat32, {channels}, true);
    layer.add_input(kTfLiteFloat32, {channels}, true);
    layer.leave_out_input();
    layer.prepare(kTfLiteFloat32, {1, 1, 1, channels},
                  {{"channels_in", channels}, {"stride_height", 1}, {"stride_width", 1}, {"dilation_height_factor", 1},
                   {"dilation_width_factor", 1}, {"fused_activation_function", 0}, {"pad_values", 1}, {"padding", 0}});
    const double weights = static_cast<double>(filter) * filter * channels * channels;
    Row row{"bconv", machine.kernels->name, "", machine.pool.threads()};
    const bool dense = size == 1;
    row.name = (dense ? "dense " : "3x3 ") + name_of(shape);
    row.unit = dense ? "GB/s" : "Gbit-MAC/s";  // of the filter's bits
    row.work = dense ? weights / 8 : weights * size * size;
    if (row.threads > 1) {
      row.limit = find([&](const Row& other) { return other.name == row.name && other.isa == row.isa; });
    } else {
      row.limit = dense ? read_of(static_cast<size_t>(row.work)) : peak(row.isa);
    }
    add(row, [&layer] { layer.run(); });
  }

  void add_maps(mbnn::Machine& machine, Shape shape) {
    const int channels = shape.channels;
    const std::vector<int> values = {1, shape.size, shape.size, channels};
    const std::vector<int> words = {1, shape.size, shape.size, channels / 32};
    const struct { const char* name; int type; } kTypes[] = {
        {"float32", kTfLiteFloat32}, {"int8", kTfLiteInt8}, {"bool", kTfLiteBool}};
    for (const auto& type : kTypes) {
      Layer& quantize = add_layer("LceQuantize", machine);
      quantize.add_input(type.type, values, false);
      quantize.prepare(kTfLiteInt32, words, {});
      add_map(machine, std::string("Quantize ") + type.name, shape, quantize);
      Layer& dequantize = add_layer("LceDequantize", machine);
      dequantize.add_input(kTfLiteInt32, words, false);
      dequantize.prepare(type.type, values, {});
      add_map(machine, std::string("Dequantize ") + type.name, shape, dequantize);
    }
    for (const int window : {2, 3}) {
      Layer& pool = add_layer("LceBMaxPool2d", machine);
      pool.add_input(kTfLiteInt32, words, false);
      pool.prepare(kTfLiteInt32, words, {{"filter_height", window}, {"filter_width", window}, {"padding", 0},
                                         {"stride_height", 2}, {"stride_width", 2}});
      add_map(machine, "BMaxPool2d " + std::to_string(window) + "/2", shape, pool);
    }
  }

  // Beside a copy that reads and writes as many bytes together.
  void add_map(const mbnn::Machine& machine, const std::string& name, Shape shape, Layer& layer) {
    const double bytes = static_cast<double>(layer.bytes_in() + layer.bytes_out());
    Row row{"bytes read and written", machine.kernels->name, name, 1, "GB/s", bytes, copy_of(bytes)};
    row.name += " " + name_of(shape);
    add(row, [&layer] { layer.run(); });
  }

  int copy_of(double bytes) {
    const size_t half = static_cast<size_t>(bytes / 2);
    const std::string name = "a copy of " + std::to_string(half) + " bytes";
    const int known = find([&](const Row& row) { return row.name == name; });
    if (known >= 0) return known;
    mbnn::Array<uint8_t>& buffer = add_buffer(2 * half);
    return add({"memory", "all", name, 1, "GB/s", bytes}, [&buffer, half] {
      memcpy(buffer.data() + half, buffer.data(), half);
      asm volatile("" : : "r"(buffer.data()) : "memory");
    });
  }

  int read_of(size_t bytes) {
    const std::string name = "a read of " + std::to_string(bytes) + " bytes";
    const int known = find([&](const Row& row) { return row.name == name; });
    if (known >= 0) return known;
    mbnn::Array<uint8_t>& buffer = add_buffer(bytes);
    const auto read = read_with_widest_vectors();
    return add({"memory", "all", name, 1, "GB/s", static_cast<double>(bytes)},
               [&buffer, read] { read(buffer.data(), buffer.size()); });
  }

  mbnn::Array<uint8_t>& add_buffer(size_t bytes) {
    buffers_.push_back(std::make_unique<mbnn::Array<uint8_t>>());
    if (!buffers_.back()->allocate(bytes)) abort();
    return *buffers_.back();
  }

  std::vector<Row> rows_;
  std::vector<Task> tasks_;
  std::vector<std::unique_ptr<mbnn::Machine>> machines_;
  std::vector<std::unique_ptr<Layer>> layers_;
  std::vector<std::unique_ptr<mbnn::Array<uint8_t>>> buffers_;
};

}  // namespace

int main(int argc, char** argv) {
  const char* json = nullptr;
  int rounds = 100;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "--json") == 0) json = argv[i + 1];
    if (strcmp(argv[i], "--rounds") == 0) rounds = atoi(argv[i + 1]);
  }
  std::mt19937 random(1);
  for (auto& pixel : loop_data.activations) {
    for (uint32_t& word : pixel) word = static_cast<uint32_t>(random());
  }
  Benchmark benchmark;
  benchmark.add_loops(kAvx512Loops, kAvx512LoopCount);
  benchmark.add_loops(kAvx2Loops, kAvx2LoopCount);
  for (const char* isa : {"avx512", "avx2", "sse4", "portable"}) benchmark.add_kernels(isa);
  benchmark.run(rounds);
  printf("%s, compiled by %s\n", cpu_name().c_str(), __VERSION__);
  benchmark.print();
  if (json == nullptr) return 0;
  FILE* file = fopen(json, "w");
  if (file == nullptr) return perror(json), 1;
  benchmark.write_json(file, cpu_name());
  return fclose(file);
}

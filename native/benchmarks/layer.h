// One operator of the library, with random data, run as the delegate runs it.
#pragma once

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/flexbuffer_writer.h"
#include "delegate/operator.h"

class Layer {
 public:
  using Options = std::vector<std::pair<std::string, int>>;

  Layer(const char* operator_name, mbnn::Machine& machine)
      : type_(find_type(operator_name)), machine_(machine), state_(type_->create()) {
    context_.ReportError = give_up;
    node_.tap_tables = &tap_tables_;
  }
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;
  ~Layer() { type_->destroy(state_); }

  void add_input(int32_t type, std::vector<int> dims, bool constant) {
    auto tensor = make_tensor(type, dims);
    tensor->constant = constant;
    fill(*tensor);
    node_.inputs[node_.input_count++] = tensor.get();
    tensors_.push_back(std::move(tensor));
  }

  void leave_out_input() { node_.inputs[node_.input_count++] = nullptr; }

  // The operator says the shape of the output, all but how many channels a Dequantize has.
  void prepare(int32_t output_type, std::vector<int> dims, const Options& options) {
    tensors_.push_back(make_tensor(output_type, dims));
    mbnn::Tensor& output = *tensors_.back();
    node_.output = node_.fusion.stored = &output;
    const std::vector<uint8_t> bytes = write_flexbuffer_map(options);
    TfLiteNode node = {};
    node.custom_initial_data = bytes.data();
    node.custom_initial_data_size = static_cast<int>(bytes.size());
    type_->parse(state_, node, node_, reporter_);
    type_->prepare(state_, node_, machine_, reporter_);
    allocate(output);
  }

  void run() { type_->run(state_, node_, machine_, reporter_); }

  // Of the activations that it reads and writes.
  size_t bytes_in() const { return bytes(*node_.inputs[0]); }
  size_t bytes_out() const { return bytes(*node_.output); }

 private:
  static void give_up(TfLiteContext*, const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    abort();
  }

  static const mbnn::OperatorType* find_type(const char* name) {
    TfLiteRegistration registration = {};
    registration.builtin_code = kTfLiteBuiltinCustom;
    registration.custom_name = name;
    return mbnn::find_operator(registration);
  }

  static size_t bytes(const mbnn::Tensor& tensor) {
    return static_cast<size_t>(tensor.elements()) * mbnn::element_bytes(tensor.type);
  }

  void allocate(mbnn::Tensor& tensor) {
    memory_.push_back(std::make_unique<mbnn::Array<uint8_t>>());
    tensor.bytes = bytes(tensor);
    if (!memory_.back()->allocate(tensor.bytes)) abort();
    tensor.data = memory_.back()->data();
  }

  static std::unique_ptr<mbnn::Tensor> make_tensor(int32_t type, const std::vector<int>& dims) {
    auto tensor = std::make_unique<mbnn::Tensor>();
    tensor->type = type;
    tensor->rank = static_cast<int>(dims.size());
    for (size_t i = 0; i < dims.size(); ++i) tensor->dims[i] = dims[i];
    tensor->quantization.scale = 1.0f;
    return tensor;
  }

  void fill(mbnn::Tensor& tensor) {
    allocate(tensor);
    std::mt19937 random(1);
    for (int64_t i = 0; i < tensor.elements(); ++i) {
      if (tensor.type == kTfLiteFloat32) tensor.as<float>()[i] = static_cast<float>(random() % 1000) - 499.5f;
      if (tensor.type == kTfLiteInt32) tensor.as<uint32_t>()[i] = static_cast<uint32_t>(random());
      if (tensor.type == kTfLiteInt8) tensor.as<int8_t>()[i] = static_cast<int8_t>(random());
      if (tensor.type == kTfLiteBool) tensor.as<uint8_t>()[i] = random() & 1;
    }
  }

  const mbnn::OperatorType* type_;
  mbnn::Machine& machine_;
  void* state_;
  TfLiteContext context_ = {};
  mbnn::Reporter reporter_{&context_, "benchmark", 0};
  mbnn::TapTables tap_tables_;
  mbnn::NodeView node_;
  std::vector<std::unique_ptr<mbnn::Tensor>> tensors_;
  std::vector<std::unique_ptr<mbnn::Array<uint8_t>>> memory_;
};

// driver_settings.cpp: settings of the stand-in itself; not part of the driver API.
#include <string>

#include "record.h"
#include "driver.h"

using namespace standin;

// Keys: order (0, 1), workers, memory, driver, devices, capability (80, 90, ...), truncate (0, 1). False for another key.
extern "C" __attribute__((visibility("default"))) int rote_standin_set(const char* key, int64_t value) {
    std::lock_guard<std::recursive_mutex> lock(Device::get().mutex);
    Settings& settings = Device::get().settings;
    std::string name = key;
    if (name == "order") settings.order = value == 0 ? Order::ASCENDING : Order::DESCENDING;
    else if (name == "workers") settings.workers = static_cast<int>(value);
    else if (name == "memory") settings.memory = value;
    else if (name == "driver") settings.driver = static_cast<int>(value);
    else if (name == "devices") settings.devices = static_cast<int>(value);
    else if (name == "capability") settings.capability = static_cast<int>(value);
    else if (name == "truncate") settings.truncate = value != 0;
    else return 0;
    return 1;
}

// The call named fails with the status, once, after `after` good ones.
extern "C" __attribute__((visibility("default"))) void rote_standin_fail(const char* call, int64_t after, int status) {
    std::lock_guard<std::recursive_mutex> lock(Device::get().mutex);
    Device::get().settings.failures[call] = {after, status};
}

// What a fault was, with kernel, block and thread; empty if there was none.
extern "C" __attribute__((visibility("default"))) const char* rote_standin_fault() {
    return Device::get().fault_text().c_str();
}

// One line per kernel: name, bytes of the argument struct, threads per block, then field:offset:bytes:p or v.
extern "C" __attribute__((visibility("default"))) const char* rote_standin_kernels() {
    static const std::string* table = [] {
        auto* text = new std::string();
        for (const auto& [name, kernel] : kernels()) {
            *text += name + " " + std::to_string(kernel.argument_bytes) + " " + std::to_string(kernel.max_threads);
            for (const Field& field : *kernel.fields) {
                *text += std::string(" ") + field.name + ":" + std::to_string(field.offset) + ":"
                         + std::to_string(field.bytes) + (field.pointer ? ":p" : ":v");
            }
            *text += "\n";
        }
        return text;
    }();
    return table->c_str();
}

extern "C" __attribute__((visibility("default"))) int rote_standin_record(const char* path) {
    std::lock_guard<std::recursive_mutex> lock(Device::get().mutex);
    return record_to(path) ? 1 : 0;
}

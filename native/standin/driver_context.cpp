// driver_context.cpp: initialisation, devices, contexts.
#include <cstdio>
#include <cstring>

#include "driver.h"

using namespace standin;

namespace {

int primary_context;
int primary_users = 0;
thread_local void* current_context = nullptr;
bool initialized = false;

} // namespace

const void* standin::current_context_of_thread() { return current_context; }

API cuInit(unsigned) {
    ENTER("cuInit");
    if (Device::get().settings.devices == 0) return NO_DEVICE;
    initialized = true;
    return SUCCESS;
}

API cuDriverGetVersion(int* version) {
    *version = Device::get().settings.driver;
    return SUCCESS;
}

API cuDeviceGetCount(int* count) {
    if (!initialized) return NOT_INITIALIZED;
    *count = Device::get().settings.devices;
    return SUCCESS;
}

API cuDeviceGet(int* device, int ordinal) {
    if (!initialized) return NOT_INITIALIZED;
    if (ordinal < 0 || ordinal >= Device::get().settings.devices) return INVALID_DEVICE;
    *device = ordinal;
    return SUCCESS;
}

API cuDeviceGetName(char* name, int length, int) {
    std::snprintf(name, length, "Rote stand-in (kernels run on the CPU; for tests)");
    return SUCCESS;
}

API cuDeviceGetUuid(void* uuid, int) {
    std::memcpy(uuid, "rote-standin-dev", 16);
    return SUCCESS;
}

API cuDeviceTotalMem_v2(size_t* bytes, int) {
    *bytes = Device::get().settings.memory;
    return SUCCESS;
}

API cuDeviceGetAttribute(int* value, int attribute, int) {
    const Settings& settings = Device::get().settings;
    static const std::map<int, int> fixed = {
        {1, 1024},  {2, 1024},  {3, 1024}, {4, 64},       {5, 0x7fffffff}, {6, 65535},    {7, 65535}, {8, 49152},
        {9, 65536}, {10, 32},   {12, 65536}, {13, 1000000}, {16, 4},       {19, 0},       {20, 0},    {31, 1},
        {36, 1000000}, {37, 256}, {38, 1 << 20}, {39, 2048}, {40, 1},       {41, 1},       {82, 65536},
        {106, 16},
    };
    if (attribute == 75) *value = settings.capability / 10;
    else if (attribute == 76) *value = settings.capability % 10;
    else if (attribute == 81 || attribute == 97) *value = static_cast<int>(shared_limit());
    else if (fixed.count(attribute) != 0) *value = fixed.at(attribute);
    else return INVALID_VALUE;
    return SUCCESS;
}

API cuCtxCreate_v2(void** context, unsigned, int) {
    ENTER("cuCtxCreate");
    *context = current_context = new char;
    return SUCCESS;
}

API cuCtxDestroy_v2(void* context) {
    std::lock_guard<std::recursive_mutex> lock(Device::get().mutex);
    drain_all(false);
    Device::get().reset(context);
    if (current_context == context) current_context = nullptr;
    if (context != &primary_context) delete static_cast<char*>(context);
    return SUCCESS;
}

API cuDevicePrimaryCtxRetain(void** context, int) {
    ENTER("cuDevicePrimaryCtxRetain");
    ++primary_users;
    *context = &primary_context;
    return SUCCESS;
}

// The last user takes the context along, with all that is still allocated and a fault there may have been.
API cuDevicePrimaryCtxRelease_v2(int) {
    std::lock_guard<std::recursive_mutex> lock(Device::get().mutex);
    if (primary_users == 0) return INVALID_CONTEXT;
    if (--primary_users > 0) return SUCCESS;
    drain_all(false);
    Device::get().reset(&primary_context);
    if (current_context == &primary_context) current_context = nullptr;
    return SUCCESS;
}

API cuDevicePrimaryCtxReset_v2(int) {
    std::lock_guard<std::recursive_mutex> lock(Device::get().mutex);
    Device::get().reset(&primary_context);
    return SUCCESS;
}

API cuCtxSetCurrent(void* context) {
    current_context = context;
    return SUCCESS;
}

API cuCtxGetCurrent(void** context) {
    *context = current_context;
    return SUCCESS;
}

API cuCtxPushCurrent_v2(void* context) { return cuCtxSetCurrent(context); }

API cuCtxPopCurrent_v2(void** context) { return cuCtxGetCurrent(context); }

API cuCtxGetDevice(int* device) {
    *device = 0;
    return SUCCESS;
}

API cuCtxSynchronize() {
    ENTER_OUTSIDE_CAPTURE("cuCtxSynchronize");
    return drain_all(false);
}

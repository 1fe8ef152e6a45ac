// record.h: writes down what the device did, so that a native program can do it again under AddressSanitizer.
//
// The file is a sequence of records, little-endian, no padding:
//
//   byte  meaning
//   'A'   u64 address, u64 bytes                                       memory allocated
//   'F'   u64 address                                                  memory released
//   'H'   u64 to, u64 bytes, the bytes                                 copied from host memory
//   'D'   u64 to, u64 from, u64 bytes                                  copied on the device
//   'S'   u64 to, u64 bytes, u32 value, u32 bytes of the value         memory set
//   'K'   u32 length, name; 6 x u32 grid and block; u64 shared bytes;  kernel launched
//         u64 bytes, the argument struct
#pragma once
#include <cstddef>
#include <cstdint>

namespace standin {

struct Operation;

// Starts a record in a new file, or ends it (null). False if the file cannot be written.
bool record_to(const char* path);

void record_allocation(uint64_t address, uint64_t bytes);
void record_release(uint64_t address);
void record_operation(const Operation& operation);

} // namespace standin

/// What can go wrong, by whose fault it is. Imports nothing of ours; everything may import it.
///
/// | fault | exception | exit status |
/// |---|---|---|
/// | caller (shape, range) | [IllegalArgumentException] | 2 |
/// | file, checkpoint, configuration | [DataException] | 2 |
/// | disk, memory, permission | [EnvironmentException] | 3 |
/// | device | [DeviceException] | 3 |
/// | loss or weights no longer finite | [NonFiniteException] | 4 |
/// | us, or use of something closed | [AssertionError], [IllegalStateException] | 1 |
package dev.rote.errors;

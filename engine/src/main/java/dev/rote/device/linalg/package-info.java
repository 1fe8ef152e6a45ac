/// Dense linear algebra in double precision on the CPU, by OpenBLAS and LAPACK through the foreign function interface:
/// what spectra of large symmetric matrices need. It knows no graph and no buffer.
///
/// Imports `device` (for its native files) and `errors`. Read [Lapack] first.
package dev.rote.device.linalg;

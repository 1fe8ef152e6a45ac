/// The configuration of a run: immutable records, read strictly from TOML and written back complete.
///
/// Read [dev.rote.config.RunConfig] first; its five sections are records of their own. Ranges are checked by the
/// records (an
/// [IllegalArgumentException] for a Java caller, a [dev.rote.errors.DataException] with file, line and key for
/// a reader of files); types and unknown keys by [dev.rote.config.Section]; syntax by [dev.rote.config.ConfigTree].
///
/// Imports only `dev.rote.errors` and Jackson.
package dev.rote.config;

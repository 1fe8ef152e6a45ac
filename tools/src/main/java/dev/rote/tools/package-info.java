/// The program behind the launcher: [Rote] parses the command line and turns what goes wrong into an exit status.
///
/// Commands are in `cli` and `study`. Imports everything; nothing imports it. Read [Rote] first, then [ExitStatus].
package dev.rote.tools;

/// Studies: a TOML file that spans a grid of runs. Read [dev.rote.tools.study.StudyFile] first. Imports
/// `dev.rote.config`, `dev.rote.errors` and Jackson.
package dev.rote.tools.study;

/// Images in: files of seven kinds to training arrays.
///
/// [DataSource] opens whatever a path names and reads one image at a time; [TrainingData] chooses, resizes, crops
/// and centers; [Dataset] is the result, in native memory, channels innermost. [ImageFile] reads and writes single
/// pictures. May import `dev.rote.errors` and LWJGL's stb, nothing else. No header is believed: sizes are compared
/// with the bytes that are there before anything is allocated.
///
/// Read [TrainingData] first.
package dev.rote.data;

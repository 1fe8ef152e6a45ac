/// Images in: files of seven kinds to training arrays.
///
/// [DataSource] opens whatever a path names and reads one image at a time; [TrainingData] chooses, resizes, crops
/// and centers; [Dataset] is the result, in native memory, channels innermost. [ImageFile] reads and writes single
/// pictures. [Mixture] draws synthetic points instead. May import `errors`, `random` and LWJGL's stb. No header is
/// believed: sizes are compared with the bytes that are there before anything is allocated.
///
/// Read [TrainingData] first.
package dev.rote.data;

package dev.rote.storage;

import dev.rote.errors.DataException;
import dev.rote.storage.SafeTensorsFile.Entry;
import java.lang.foreign.MemorySegment;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// The JSON header of a safetensors file, checked: each tensor's size follows from type and shape, and the tensors
/// cover
/// the data section without gap or overlap.
record SafeTensorsHeader(Map<String, Entry> entries, Map<String, String> metadata) {
    static final String METADATA = "__metadata__";

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    static SafeTensorsHeader read(Path path, MemorySegment json, long dataBytes) {
        List<Entry> tensors = new ArrayList<>();
        Map<String, String> metadata = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> property : parse(path, json).properties()) {
            if (property.getKey().equals(METADATA)) {
                readMetadata(path, property.getValue(), metadata);
            } else {
                tensors.add(readEntry(path, property.getKey(), property.getValue()));
            }
        }
        tensors.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        Map<String, Entry> entries = new LinkedHashMap<>();
        long covered = 0;
        for (Entry entry : tensors) {
            if (entry.begin() != covered) {
                throw DataException.expected(
                        path, where(entry.name()), "to begin at data byte " + covered, "byte " + entry.begin());
            }
            covered = entry.end();
            entries.put(entry.name(), entry);
        }
        if (covered != dataBytes) {
            throw DataException.expected(
                    path, "data section", "the " + covered + " bytes of its tensors", dataBytes + " bytes");
        }
        return new SafeTensorsHeader(Collections.unmodifiableMap(entries), Collections.unmodifiableMap(metadata));
    }

    /// The header as JSON: metadata first, in the order of their keys, so that equal content gives equal bytes in every
    /// process; then the tensors in the order given.
    static String write(List<Tensor> tensors, Map<String, String> metadata, String sha256) {
        ObjectNode root = JSON.createObjectNode();
        if (!metadata.isEmpty() || sha256 != null) {
            ObjectNode strings = root.putObject(METADATA);
            new TreeMap<>(metadata).forEach(strings::put);
            if (sha256 != null) {
                strings.put(SafeTensors.HASH_KEY, sha256);
            }
        }
        long begin = 0;
        for (Tensor tensor : tensors) {
            long end = Math.addExact(begin, tensor.data().byteSize());
            ObjectNode node = root.putObject(tensor.name());
            node.put("dtype", tensor.type().name());
            var shape = node.putArray("shape");
            for (long dimension : tensor.shape()) {
                shape.add(dimension);
            }
            node.putArray("data_offsets").add(begin).add(end);
            begin = end;
        }
        return JSON.writeValueAsString(root);
    }

    private static ObjectNode parse(Path path, MemorySegment json) {
        String text;
        try {
            text = StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)
                    .decode(json.asByteBuffer())
                    .toString();
        } catch (CharacterCodingException e) {
            throw new DataException(path + ": header: expected UTF-8 text, found bytes that are not", e);
        }
        if (!text.startsWith("{")) {
            throw DataException.expected(path, "byte 8", "a JSON object", "'" + text.charAt(0) + "'");
        }
        try {
            return (ObjectNode) JSON.readTree(text);
        } catch (JacksonException e) {
            throw new DataException(path + ": header: expected a JSON object, found " + JsonLines.complaint(e), e);
        }
    }

    private static void readMetadata(Path path, JsonNode node, Map<String, String> metadata) {
        if (!node.isObject()) {
            throw DataException.expected(path, METADATA, "an object of strings", kind(node));
        }
        for (Map.Entry<String, JsonNode> property : node.properties()) {
            if (!property.getValue().isString()) {
                throw DataException.expected(
                        path, METADATA + "." + clip(property.getKey()), "a string", kind(property.getValue()));
            }
            metadata.put(property.getKey(), property.getValue().stringValue());
        }
    }

    private static Entry readEntry(Path path, String name, JsonNode node) {
        if (!node.isObject()) {
            throw DataException.expected(path, where(name), "an object", kind(node));
        }
        for (String key : node.propertyNames()) {
            if (!key.equals("dtype") && !key.equals("shape") && !key.equals("data_offsets")) {
                throw DataException.expected(path, where(name), "dtype, shape and data_offsets", "key " + clip(key));
            }
        }
        TensorType type = readType(path, name, node.get("dtype"));
        long[] shape = readNumbers(path, name, "shape", node.get("shape"));
        long[] offsets = readNumbers(path, name, "data_offsets", node.get("data_offsets"));
        if (offsets.length != 2 || offsets[0] > offsets[1]) {
            throw DataException.expected(
                    path, where(name), "data_offsets [begin, end] with begin <= end", clip(node.get("data_offsets")));
        }
        long elements = Tensor.elements(shape);
        if (elements < 0 || elements > Long.MAX_VALUE / type.bytes()) {
            throw DataException.expected(
                    path, where(name), "a shape of fewer than 2^63 bytes", clip(node.get("shape")));
        }
        if (elements * type.bytes() != offsets[1] - offsets[0]) {
            throw DataException.expected(
                    path,
                    where(name),
                    elements * type.bytes() + " bytes of " + type + " " + clip(node.get("shape")),
                    offsets[1] - offsets[0] + " bytes between its data_offsets");
        }
        return new Entry(name, type, shape, offsets[0], offsets[1]);
    }

    private static TensorType readType(Path path, String name, JsonNode node) {
        if (node != null && node.isString()) {
            for (TensorType type : TensorType.values()) {
                if (type.name().equals(node.stringValue())) {
                    return type;
                }
            }
        }
        throw DataException.expected(
                path, where(name), "a dtype of " + List.of(TensorType.values()), node == null ? "none" : clip(node));
    }

    private static long[] readNumbers(Path path, String name, String key, JsonNode node) {
        if (node == null || !node.isArray()) {
            throw DataException.expected(path, where(name), "an array " + key, node == null ? "none" : kind(node));
        }
        long[] numbers = new long[node.size()];
        for (int i = 0; i < numbers.length; i++) {
            JsonNode number = node.get(i);
            if (!number.isIntegralNumber() || !number.canConvertToLong() || number.longValue() < 0) {
                throw DataException.expected(
                        path, where(name), key + " of whole numbers from 0 to 2^63 - 1", clip(number));
            }
            numbers[i] = number.longValue();
        }
        return numbers;
    }

    private static String where(String name) {
        return "tensor " + clip(name);
    }

    /// What a message quotes from the file, shortened and on one line.
    private static String clip(Object quoted) {
        String text = quoted.toString().replaceAll("\\p{Cntrl}", "?");
        return text.length() <= 100 ? text : text.substring(0, 100) + "...";
    }

    private static String kind(JsonNode node) {
        return node.getNodeType().name().toLowerCase(java.util.Locale.ROOT);
    }
}

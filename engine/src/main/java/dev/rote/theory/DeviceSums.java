package dev.rote.theory;

import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.device.Program;
import dev.rote.device.linalg.Matrix;
import dev.rote.graph.DType;
import dev.rote.graph.Graph;
import dev.rote.graph.MatMul;
import dev.rote.graph.Plan;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Sums over noisy points whose products a device computes: a block of points in f32, blocks are added in f64. So the
/// error of an element is that of one block, some 1e-6 of `sqrt(u_ii u_jj)`, however many points there are.
final class DeviceSums extends FeatureSums {
    private static final String FEATURES = "features";
    private static final String NOISE = "noise";
    private static final String U = "u";
    private static final String V = "v";

    private final int rows;
    private final Map<String, Buffer> buffers = new LinkedHashMap<>();
    private Program products;

    private DeviceSums(Sizes sizes, int rows) {
        super(sizes);
        this.rows = rows;
    }

    /// @param rows most points of a block
    /// @throws dev.rote.errors.DeviceException if the memory cannot be had
    static DeviceSums open(Device device, Sizes sizes, int rows) {
        DeviceSums sums = new DeviceSums(sizes, rows);
        try {
            Graph graph = new Graph();
            Value features = graph.external(FEATURES, TensorType.f32(1, rows, sizes.p()));
            Value noise = graph.external(NOISE, TensorType.f32(1, rows, sizes.d()));
            TensorType square = TensorType.f32(1, sizes.p(), sizes.p());
            TensorType side = TensorType.f32(1, sizes.p(), sizes.d());
            graph.place(graph.apply(new MatMul(true, false), features, features), graph.external(U, square), 0);
            graph.place(graph.apply(new MatMul(true, false), features, noise), graph.external(V, side), 0);
            sums.allocate(device, FEATURES, features.type());
            sums.allocate(device, NOISE, noise.type());
            sums.allocate(device, U, square);
            sums.allocate(device, V, side);
            sums.products = device.compile("features", List.of(Plan.of(graph, device.target())), sums.buffers);
            return sums;
        } catch (RuntimeException | Error e) {
            sums.close();
            throw e;
        }
    }

    private void allocate(Device device, String name, TensorType type) {
        buffers.put(name, device.allocate("theory." + name, DType.F32, type.elements()));
    }

    /// @throws IllegalArgumentException if the block has more points than were announced
    @Override
    void add(double weight, Matrix features, Matrix noise) {
        if (features.rows() > rows) {
            throw new IllegalArgumentException("features: expected at most " + rows + " points, found " + features);
        }
        write(FEATURES, features);
        write(NOISE, noise);
        products.run();
        read(weight, U, u);
        read(weight, V, v);
    }

    /// Points that the block has not are zero, and add nothing.
    private void write(String name, Matrix matrix) {
        int columns = matrix.columns();
        float[] values = new float[Math.multiplyExact(rows, columns)];
        for (int i = 0; i < matrix.rows(); i++) {
            double[] row = matrix.row(i);
            for (int j = 0; j < columns; j++) {
                values[i * columns + j] = (float) row[j];
            }
        }
        buffers.get(name).writeFloats(values);
    }

    private void read(double weight, String name, Matrix sum) {
        float[] values = buffers.get(name).readFloats();
        int columns = sum.columns();
        for (int i = 0; i < sum.rows(); i++) {
            double[] row = sum.row(i);
            for (int j = 0; j < columns; j++) {
                row[j] += weight * values[i * columns + j];
            }
            sum.setRow(i, row);
        }
    }

    @Override
    public void close() {
        if (products != null) {
            products.close();
        }
        buffers.values().forEach(Buffer::close);
    }
}

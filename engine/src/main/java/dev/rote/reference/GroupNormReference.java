package dev.rote.reference;

import dev.rote.graph.Activation;
import dev.rote.graph.GroupNorm;
import java.util.ArrayList;
import java.util.List;

/// Group normalisation, optionally followed by SiLU (Wu & He 2018, arXiv:1803.08494, eq. 1-7). Over the
/// L = pixels C/G values of a group: `mean`, `rstd = 1/sqrt(mean((x-mean)^2) + eps)`, `xhat = (x-mean) rstd`,
/// `z = xhat gamma[c] + beta[c]`, `y = silu ? z sigmoid(z) : z`.
final class GroupNormReference {
    private GroupNormReference() {}

    /// Inputs x [N,...,C], perhaps in two parts, gamma [C], beta [C]; outputs y [N,...,C], mean [N,G], rstd [N,G].
    static List<double[]> forward(GroupNorm op, List<Tensor> inputs) {
        Tensor x = Joined.of(inputs.subList(0, inputs.size() - 2));
        double[] gamma = inputs.get(inputs.size() - 2).data();
        double[] beta = inputs.getLast().data();
        double[] y = new double[x.size()];
        double[] mean = new double[x.dim(0) * op.groups()];
        double[] rstd = new double[mean.length];
        for (int group = 0; group < mean.length; group++) {
            int[] members = members(x, op.groups(), group);
            for (int i : members) {
                mean[group] += x.at(i) / members.length;
            }
            double variance = 0;
            for (int i : members) {
                variance += (x.at(i) - mean[group]) * (x.at(i) - mean[group]) / members.length;
            }
            rstd[group] = 1 / Math.sqrt(variance + op.eps());
            for (int i : members) {
                int c = i % x.last();
                double z = (x.at(i) - mean[group]) * rstd[group] * gamma[c] + beta[c];
                y[i] = op.silu() ? ActivationReference.value(Activation.Kind.SILU, z) : z;
            }
        }
        return List.of(y, mean, rstd);
    }

    /// With `dz = dy silu'(z)` and `dxhat = dz gamma`: `dx = rstd (dxhat - mean(dxhat) - xhat mean(dxhat xhat))` over
    /// the group, `dgamma = sum dz xhat`, `dbeta = sum dz` over images and pixels.
    /// Inputs dy, x [N,...,C], gamma, beta [C], mean, rstd [N,G]; outputs dx in the parts of x, dgamma [C], dbeta [C].
    static List<double[]> backward(GroupNorm.Backward op, List<Tensor> inputs) {
        Tensor dy = inputs.get(0);
        int parameters = inputs.size() - 4;
        Tensor x = Joined.of(inputs.subList(1, parameters));
        double[] gamma = inputs.get(parameters).data();
        double[] beta = inputs.get(parameters + 1).data();
        double[] mean = inputs.get(parameters + 2).data();
        double[] rstd = inputs.get(parameters + 3).data();
        double[] dx = new double[x.size()];
        double[] dgamma = new double[x.last()];
        double[] dbeta = new double[x.last()];
        for (int group = 0; group < mean.length; group++) {
            int[] members = members(x, op.forward().groups(), group);
            double[] xhat = new double[members.length];
            double[] dxhat = new double[members.length];
            double dMean = 0;
            double dProduct = 0;
            for (int m = 0; m < members.length; m++) {
                int c = members[m] % x.last();
                xhat[m] = (x.at(members[m]) - mean[group]) * rstd[group];
                double z = xhat[m] * gamma[c] + beta[c];
                double slope = op.forward().silu() ? ActivationReference.slope(Activation.Kind.SILU, z) : 1;
                double dz = dy.at(members[m]) * slope;
                dgamma[c] += dz * xhat[m];
                dbeta[c] += dz;
                dxhat[m] = dz * gamma[c];
                dMean += dxhat[m] / members.length;
                dProduct += dxhat[m] * xhat[m] / members.length;
            }
            for (int m = 0; m < members.length; m++) {
                dx[members[m]] = rstd[group] * (dxhat[m] - dMean - xhat[m] * dProduct);
            }
        }
        List<double[]> outputs = new ArrayList<>(
                Joined.split(new Tensor(x.shape(), dx), inputs.get(1).last()));
        outputs.add(dgamma);
        outputs.add(dbeta);
        return outputs;
    }

    /// Positions in x [N,pixels,C] of the values of one group; groups are numbered n G + g.
    private static int[] members(Tensor x, int groups, int group) {
        int width = x.last() / groups;
        int n = group / groups;
        int g = group % groups;
        int[] members = new int[x.pixels() * width];
        for (int p = 0; p < x.pixels(); p++) {
            for (int c = 0; c < width; c++) {
                members[p * width + c] = (n * x.pixels() + p) * x.last() + g * width + c;
            }
        }
        return members;
    }
}

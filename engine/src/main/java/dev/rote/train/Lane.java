package dev.rote.train;

import java.util.ArrayList;
import java.util.List;

/// One lane's share of a batch.
///
/// @param first number within the batch of its first image
/// @param count images
public record Lane(int first, int count) {
    /// Shares a batch out, as evenly as whole images allow; the first lanes are the larger ones' equals or larger.
    public static List<Lane> share(int batch, int lanes) {
        List<Lane> shares = new ArrayList<>();
        for (int lane = 0; lane < lanes; lane++) {
            int first = (int) ((long) batch * lane / lanes);
            shares.add(new Lane(first, (int) ((long) batch * (lane + 1) / lanes) - first));
        }
        return shares;
    }
}

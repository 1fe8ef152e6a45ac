package dev.rote.device.cuda;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnConvolutionBwdDataAlgoPerf;
import jcuda.jcudnn.cudnnConvolutionBwdFilterAlgoPerf;
import jcuda.jcudnn.cudnnConvolutionDescriptor;
import jcuda.jcudnn.cudnnConvolutionFwdAlgoPerf;
import jcuda.jcudnn.cudnnDeterminism;
import jcuda.jcudnn.cudnnFilterDescriptor;
import jcuda.jcudnn.cudnnHandle;
import jcuda.jcudnn.cudnnTensorDescriptor;

/// An algorithm of cuDNN for a convolution.
///
/// cuDNN is asked what it expects, not timed: a choice by the clock would not be the same in every run.
///
/// @param number cuDNN's own, of its direction
/// @param math the arithmetic it is offered with
record CudnnAlgorithm(int number, int math) {
    private static final int MOST = 16; // there are at most ten

    /// A convolution in one direction, in cuDNN's descriptors: y of x and w.
    record Question(
            Cudnn.Direction direction,
            cudnnHandle handle,
            cudnnTensorDescriptor x,
            cudnnFilterDescriptor w,
            cudnnConvolutionDescriptor convolution,
            cudnnTensorDescriptor y) {}

    /// An algorithm as cuDNN offers it.
    private record Offer(int number, int status, int determinism, int math) {}

    /// The deterministic ones, the one first that cuDNN expects to be quickest; none if cuDNN takes no such
    /// convolution.
    static List<CudnnAlgorithm> deterministic(Question question) {
        try {
            return offers(question).stream()
                    .filter(offer -> offer.status() == Cudnn.SUCCESS)
                    .filter(offer -> offer.determinism() == cudnnDeterminism.CUDNN_DETERMINISTIC)
                    .map(offer -> new CudnnAlgorithm(offer.number(), offer.math()))
                    .toList();
        } catch (ArrayIndexOutOfBoundsException e) {
            return List.of(); // JCudnn copies as many offers as a refusing cuDNN left uninitialised
        }
    }

    private static List<Offer> offers(Question q) {
        int[] count = new int[1];
        List<Offer> found = new ArrayList<>();
        int status =
                switch (q.direction()) {
                    case FORWARD -> {
                        var all = new cudnnConvolutionFwdAlgoPerf[MOST];
                        Arrays.setAll(all, i -> new cudnnConvolutionFwdAlgoPerf());
                        int result = JCudnn.cudnnGetConvolutionForwardAlgorithm_v7(
                                q.handle(), q.x(), q.w(), q.convolution(), q.y(), MOST, count, all);
                        for (var each : all) {
                            found.add(new Offer(each.algo, each.status, each.determinism, each.mathType));
                        }
                        yield result;
                    }
                    case BACKWARD_DATA -> {
                        var all = new cudnnConvolutionBwdDataAlgoPerf[MOST];
                        Arrays.setAll(all, i -> new cudnnConvolutionBwdDataAlgoPerf());
                        int result = JCudnn.cudnnGetConvolutionBackwardDataAlgorithm_v7(
                                q.handle(), q.w(), q.y(), q.convolution(), q.x(), MOST, count, all);
                        for (var each : all) {
                            found.add(new Offer(each.algo, each.status, each.determinism, each.mathType));
                        }
                        yield result;
                    }
                    case BACKWARD_WEIGHT -> {
                        var all = new cudnnConvolutionBwdFilterAlgoPerf[MOST];
                        Arrays.setAll(all, i -> new cudnnConvolutionBwdFilterAlgoPerf());
                        int result = JCudnn.cudnnGetConvolutionBackwardFilterAlgorithm_v7(
                                q.handle(), q.x(), q.y(), q.convolution(), q.w(), MOST, count, all);
                        for (var each : all) {
                            found.add(new Offer(each.algo, each.status, each.determinism, each.mathType));
                        }
                        yield result;
                    }
                };
        return status == Cudnn.SUCCESS ? found.subList(0, Math.clamp(count[0], 0, MOST)) : List.of();
    }

    /// Scratch bytes; 0 also where cuDNN refuses the question, as it then refuses the call.
    long workspaceBytes(Question q) {
        long[] bytes = new long[1];
        int status =
                switch (q.direction()) {
                    case FORWARD ->
                        JCudnn.cudnnGetConvolutionForwardWorkspaceSize(
                                q.handle(), q.x(), q.w(), q.convolution(), q.y(), number, bytes);
                    case BACKWARD_DATA ->
                        JCudnn.cudnnGetConvolutionBackwardDataWorkspaceSize(
                                q.handle(), q.w(), q.y(), q.convolution(), q.x(), number, bytes);
                    case BACKWARD_WEIGHT ->
                        JCudnn.cudnnGetConvolutionBackwardFilterWorkspaceSize(
                                q.handle(), q.x(), q.y(), q.convolution(), q.w(), number, bytes);
                };
        return status == Cudnn.SUCCESS ? bytes[0] : 0;
    }
}

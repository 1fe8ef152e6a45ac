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

    private static boolean isOffered(int status, int determinism) {
        return status == 0 && determinism == cudnnDeterminism.CUDNN_DETERMINISTIC;
    }

    /// The deterministic ones, the one first that cuDNN expects to be quickest; none if cuDNN takes no such convolution.
    static List<CudnnAlgorithm> deterministic(
            Cudnn.Direction direction,
            cudnnHandle handle,
            cudnnTensorDescriptor x,
            cudnnFilterDescriptor w,
            cudnnConvolutionDescriptor convolution,
            cudnnTensorDescriptor y) {
        int[] count = new int[1];
        List<CudnnAlgorithm> found = new ArrayList<>();
        switch (direction) {
            case FORWARD -> {
                var all = new cudnnConvolutionFwdAlgoPerf[MOST];
                Arrays.setAll(all, i -> new cudnnConvolutionFwdAlgoPerf());
                JCudnn.cudnnGetConvolutionForwardAlgorithm_v7(handle, x, w, convolution, y, MOST, count, all);
                for (int i = 0; i < count[0]; i++) {
                    if (isOffered(all[i].status, all[i].determinism)) {
                        found.add(new CudnnAlgorithm(all[i].algo, all[i].mathType));
                    }
                }
            }
            case BACKWARD_DATA -> {
                var all = new cudnnConvolutionBwdDataAlgoPerf[MOST];
                Arrays.setAll(all, i -> new cudnnConvolutionBwdDataAlgoPerf());
                JCudnn.cudnnGetConvolutionBackwardDataAlgorithm_v7(handle, w, y, convolution, x, MOST, count, all);
                for (int i = 0; i < count[0]; i++) {
                    if (isOffered(all[i].status, all[i].determinism)) {
                        found.add(new CudnnAlgorithm(all[i].algo, all[i].mathType));
                    }
                }
            }
            case BACKWARD_WEIGHT -> {
                var all = new cudnnConvolutionBwdFilterAlgoPerf[MOST];
                Arrays.setAll(all, i -> new cudnnConvolutionBwdFilterAlgoPerf());
                JCudnn.cudnnGetConvolutionBackwardFilterAlgorithm_v7(handle, x, y, convolution, w, MOST, count, all);
                for (int i = 0; i < count[0]; i++) {
                    if (isOffered(all[i].status, all[i].determinism)) {
                        found.add(new CudnnAlgorithm(all[i].algo, all[i].mathType));
                    }
                }
            }
        }
        return found;
    }

    /// Scratch bytes; 0 also where cuDNN refuses the question, as it then refuses the call.
    long workspaceBytes(
            Cudnn.Direction direction,
            cudnnHandle handle,
            cudnnTensorDescriptor x,
            cudnnFilterDescriptor w,
            cudnnConvolutionDescriptor convolution,
            cudnnTensorDescriptor y) {
        long[] bytes = new long[1];
        int status =
                switch (direction) {
                    case FORWARD ->
                        JCudnn.cudnnGetConvolutionForwardWorkspaceSize(handle, x, w, convolution, y, number, bytes);
                    case BACKWARD_DATA ->
                        JCudnn.cudnnGetConvolutionBackwardDataWorkspaceSize(handle, w, y, convolution, x, number, bytes);
                    case BACKWARD_WEIGHT ->
                        JCudnn.cudnnGetConvolutionBackwardFilterWorkspaceSize(handle, x, y, convolution, w, number, bytes);
                };
        return status == 0 ? bytes[0] : 0;
    }
}

// linear_sm90.cuh: the arguments of linear_sm90.cu and linear_sm90_rows.cu.
#pragma once
#include "tensor_copy.cuh"
#include "wgmma_bf16.cuh"
#include "wgmma_store.cuh"

struct LinearSm90Args {
    TensorMap left;    // x or dy [rows,first]: boxes [256,LINE / 2]
    TensorMap left2;   // x2 [rows,depth-first]
    TensorMap right;   // w: forward boxes [COLUMNS,LINE / 2], backward [LINE / 2,32 or 64 columns]
    void* y;           // [rows,first_columns]
    void* y2;          // [rows,columns-first_columns]
    const float* bias; // [columns] or null
    const void* addend; // [rows,columns], where y2 is not used, or null
    int rows;
    int depth;
    int first;
    int columns;
    int first_columns;
    int stages; // of the ring in shared memory
};
LAYOUT(LinearSm90Args, left, left2, right, y, y2, bias, addend, rows, depth, first, columns, first_columns, stages)

constexpr int LINEAR_SM90_ROWS = 256, LINEAR_SM90_THREADS = 256, LINEAR_SM90_STAGES = 8;

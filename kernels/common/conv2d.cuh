// conv2d.cuh: the three products of a convolution as matrix products whose operands are gathered (implicit GEMM).
//
//   forward          M = N*P*Q output pixels   N = K       depth = (r,s,c)     A = x gathered   B = w
//   backward data    M = N*H*W input pixels    N = C       depth = (r,s,k)     A = dy gathered  B = w
//   backward weight  M = K                     N = (r,s,c) depth = (n,p,q)     A = dy           B = x gathered
//
// With `shift` 1 the image that is convolved is not in memory: x has half its height and width, and each of its pixels
// stands for 2 x 2 (nearest-neighbour upsampling). Forward and backward weight read pixel (h >> 1, w >> 1) where they would
// read (h,w); backward data adds up the four:
//   backward data    M = N*H*W/4 pixels of x   N = C       depth = (cell,tap,k) A = dy gathered  B = w
//
// Requires   one image, in values, and the number of pixels fit in 31 bits
// Reference  Chellapilla, Puri & Simard 2006, "High performance convolutional neural networks for document processing",
//            section 2.2 (im2col); Chetlur et al. 2014, arXiv:1410.0759, section 3.1 (never stored).
#pragma once
#include "tile_load.cuh"

struct Conv2dArgs {
    void* x;        // [images,height >> shift,width >> shift,channels]; backward data writes dx here
    void* w;        // [filters,filter_height,filter_width,channels]; backward weight writes dw f32 here
    void* y;        // [images,out_height,out_width,filters]; in both gradients dy, which is read
    float* bias;    // [filters] or null; backward weight writes dbias here
    float* partial; // backward weight: [splits][dw, then dbias], or null if there is one split
    int images;
    int height; // of the image that is convolved
    int width;
    int channels;
    int out_height;
    int out_width;
    int filters;
    int filter_height;
    int filter_width;
    int stride;
    int top;
    int left;
    int depth_per_split; // backward weight: pixels of a split, a multiple of every tile's depth; or strips, or columns
    int shift;           // 1 if x is to be upsampled, else 0
    int addend_pixels;   // pixels of y that share a line of the addend
    const void* addend;  // conv2d_halo: [pixels / addend_pixels,filters], added to y, or null
};
LAYOUT(Conv2dArgs, x, w, y, bias, partial, images, height, width, channels, out_height, out_width, filters, filter_height,
       filter_width, stride, top, left, depth_per_split, shift, addend_pixels, addend)

constexpr int OUTSIDE = -(1 << 30); // a row that stays outside whatever is added

// x as A of forward: outer is an output pixel, depth (r,s,c).
template <class T>
struct ConvPatches {
    using Value = T;
    static constexpr Fastest FASTEST = Fastest::DEPTH;
    struct Outer {
        const T* image;
        int row, column; // of x under tap (0,0)
    };

    const T* base;
    int height, width, channels, out_height, out_width, rows, filter_height, filter_width, stride, top, left, shift;

    __device__ __forceinline__ explicit ConvPatches(const Conv2dArgs& a)
        : base((const T*)a.x), height(a.height), width(a.width), channels(a.channels), out_height(a.out_height),
          out_width(a.out_width), rows(a.images * a.out_height * a.out_width), filter_height(a.filter_height),
          filter_width(a.filter_width), stride(a.stride), top(a.top), left(a.left), shift(a.shift) {}

    __device__ __forceinline__ int middles() const { return filter_width; }
    __device__ __forceinline__ int lows() const { return channels; }
    __device__ __forceinline__ Walk depth(int d) const { return Walk::of(d, filter_width, channels); }

    __device__ __forceinline__ Outer outer(int o) const {
        if (o >= rows) return {base, OUTSIDE, 0};
        Walk at = Walk::of(o, out_height, out_width);
        int image = (height >> shift) * (width >> shift) * channels;
        return {base + (int64_t)at.high * image, at.middle * stride - top, at.low * stride - left};
    }

    __device__ __forceinline__ Found<T> find(const Outer& o, const Walk& d) const {
        int h = o.row + d.high, w = o.column + d.middle;
        bool inside = (unsigned)h < (unsigned)height && (unsigned)w < (unsigned)width && d.high < filter_height;
        return {o.image + (((h >> shift) * (width >> shift) + (w >> shift)) * channels + d.low), inside};
    }
};

// dy as A of backward data: outer is an input pixel, depth (r,s,k).
template <class T>
struct ConvGradients {
    using Value = T;
    static constexpr Fastest FASTEST = Fastest::DEPTH;
    struct Outer {
        const T* image;
        int row, column; // of dy under tap (0,0), times the stride
    };

    const T* base;
    int height, width, out_height, out_width, filters, rows, filter_height, filter_width, stride, top, left;

    __device__ __forceinline__ explicit ConvGradients(const Conv2dArgs& a)
        : base((const T*)a.y), height(a.height), width(a.width), out_height(a.out_height), out_width(a.out_width),
          filters(a.filters), rows(a.images * a.height * a.width), filter_height(a.filter_height),
          filter_width(a.filter_width), stride(a.stride), top(a.top), left(a.left) {}

    __device__ __forceinline__ int middles() const { return filter_width; }
    __device__ __forceinline__ int lows() const { return filters; }
    __device__ __forceinline__ Walk depth(int d) const { return Walk::of(d, filter_width, filters); }

    __device__ __forceinline__ Outer outer(int o) const {
        if (o >= rows) return {base, OUTSIDE, 0};
        Walk at = Walk::of(o, height, width);
        return {base + (int64_t)at.high * (out_height * out_width * filters), at.middle + top, at.low + left};
    }

    __device__ __forceinline__ Found<T> find(const Outer& o, const Walk& d) const {
        int p = o.row - d.high, q = o.column - d.middle;
        bool inside = p >= 0 && q >= 0 && d.high < filter_height;
        if (stride > 1) {
            int row = p / stride, column = q / stride;
            inside = inside && row * stride == p && column * stride == q;
            p = row, q = column;
        }
        inside = inside && p < out_height && q < out_width;
        return {o.image + ((p * out_width + q) * filters + d.low), inside};
    }
};

// The same where x is upsampled: outer is a pixel of x, depth (cell,tap,k) with the 2 x 2 pixels of its cell.
template <class T>
struct ConvCellGradients : ConvGradients<T> {
    using Base = ConvGradients<T>;
    using typename Base::Outer;

    int taps;

    __device__ __forceinline__ explicit ConvCellGradients(const Conv2dArgs& a)
        : Base(a), taps(a.filter_height * a.filter_width) {
        this->rows = a.images * (a.height / 2) * (a.width / 2);
    }

    __device__ __forceinline__ int middles() const { return taps; }
    __device__ __forceinline__ Walk depth(int d) const { return Walk::of(d, taps, this->filters); }

    __device__ __forceinline__ Outer outer(int o) const {
        if (o >= this->rows) return {this->base, OUTSIDE, 0};
        Walk at = Walk::of(o, this->height / 2, this->width / 2);
        const T* image = this->base + (int64_t)at.high * (this->out_height * this->out_width * this->filters);
        return {image, 2 * at.middle + this->top, 2 * at.low + this->left};
    }

    __device__ __forceinline__ Found<T> find(const Outer& o, const Walk& d) const {
        int r = d.middle / this->filter_width, s = d.middle - r * this->filter_width;
        Outer pixel {o.image, o.row + (d.high >> 1), o.column + (d.high & 1)};
        Found<T> found = Base::find(pixel, {r, s, d.low});
        return {found.at, found.inside && d.high < 4};
    }
};

// w as B of backward data: outer is c, depth (r,s,k), or (cell,r,s,k) with CELLS 4.
template <class T, int CELLS = 1>
struct ConvFilters {
    using Value = T;
    static constexpr Fastest FASTEST = Fastest::OUTER;
    using Outer = int;

    const T* base;
    int channels, taps, filters;

    __device__ __forceinline__ explicit ConvFilters(const Conv2dArgs& a)
        : base((const T*)a.w), channels(a.channels), taps(a.filter_height * a.filter_width), filters(a.filters) {}

    __device__ __forceinline__ int middles() const { return taps; }
    __device__ __forceinline__ int lows() const { return filters; }
    __device__ __forceinline__ Walk depth(int d) const { return Walk::of(d, taps, filters); }
    __device__ __forceinline__ Outer outer(int o) const { return o; }

    __device__ __forceinline__ Found<T> find(const Outer& o, const Walk& d) const {
        bool inside = o < channels && d.high < CELLS;
        return {base + ((int64_t)d.low * taps + d.middle) * channels + o, inside};
    }
};

// x as B of backward weight: outer is (r,s,c), depth an output pixel (n,p,q).
template <class T>
struct ConvPatchColumns {
    using Value = T;
    static constexpr Fastest FASTEST = Fastest::OUTER;
    struct Outer {
        int row, column, channel; // r - top, s - left, c
    };

    const T* base;
    int images, height, width, channels, out_height, out_width, filter_height, filter_width, stride, top, left, shift;

    __device__ __forceinline__ explicit ConvPatchColumns(const Conv2dArgs& a)
        : base((const T*)a.x), images(a.images), height(a.height), width(a.width), channels(a.channels),
          out_height(a.out_height), out_width(a.out_width), filter_height(a.filter_height),
          filter_width(a.filter_width), stride(a.stride), top(a.top), left(a.left), shift(a.shift) {}

    __device__ __forceinline__ int middles() const { return out_height; }
    __device__ __forceinline__ int lows() const { return out_width; }
    __device__ __forceinline__ Walk depth(int d) const { return Walk::of(d, out_height, out_width); }

    __device__ __forceinline__ Outer outer(int o) const {
        Walk at = Walk::of(o, filter_width, channels);
        if (at.high >= filter_height) return {OUTSIDE, 0, 0};
        return {at.high - top, at.middle - left, at.low};
    }

    __device__ __forceinline__ Found<T> find(const Outer& o, const Walk& d) const {
        int h = d.middle * stride + o.row, w = d.low * stride + o.column;
        bool inside = (unsigned)h < (unsigned)height && (unsigned)w < (unsigned)width && d.high < images;
        int line = (width >> shift) * channels, image = (height >> shift) * line;
        return {base + (int64_t)d.high * image + ((h >> shift) * line + (w >> shift) * channels + o.channel), inside};
    }
};

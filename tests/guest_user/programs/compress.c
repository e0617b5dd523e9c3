// Debian's static zlib, zstd and liblzma over the same text, the last with worker threads: sizes, checksums,
// and whether each gives back what it was given.
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { kText = 1 << 20, kRoom = kText + (1 << 20), kWorkers = 3 };

static unsigned char *text, *packed, *unpacked;

static void* room(size_t bytes) {
    void* memory = malloc(bytes);
    if (memory == NULL) {
        perror("malloc");
        exit(1);
    }
    return memory;
}

// Words of a small vocabulary: compresses, but not to nothing.
static void make_text(void) {
    static const char* const kWords[] = {"fork",  "page",  "table", "entry", "write",  "fault",
                                         "copy",  "frame", "flush", "child", "parent", "vfork",
                                         "clone", "exec",  "wait",  "exit"};
    unsigned long long state = 1;
    for (size_t at = 0; at < kText;) {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        const int length =
            snprintf((char*)text + at, 16, "%s %llu ", kWords[state >> 60], (state >> 40) % 100);
        at += (size_t)length;
    }
    text[kText - 1] = '\n';
}

static void report(const char* name, size_t size, size_t back) {
    const int good = back == kText && memcmp(text, unpacked, kText) == 0;
    printf("%s: %zu bytes, crc %08lx, %s\n", name, size, crc32(0, packed, (uInt)size),
           good ? "comes back" : "IS LOST");
    memset(unpacked, 0, kText);
}

static void with_zlib(void) {
    uLongf size = kRoom, back = kRoom;
    if (compress2(packed, &size, text, kText, 6) != Z_OK) exit(1);
    if (uncompress(unpacked, &back, packed, size) != Z_OK) exit(1);
    report("zlib", size, back);
}

static void with_zstd(void) {
    ZSTD_CCtx* context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 3);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    const size_t size = ZSTD_compress2(context, packed, kRoom, text, kText);
    if (ZSTD_isError(size)) {
        printf("zstd: %s\n", ZSTD_getErrorName(size));
        exit(1);
    }
    ZSTD_freeCCtx(context);
    report("zstd", size, ZSTD_decompress(unpacked, kRoom, packed, size));
}

static size_t run(lzma_stream* stream, const unsigned char* in, size_t in_size, unsigned char* out) {
    stream->next_in = in;
    stream->avail_in = in_size;
    stream->next_out = out;
    stream->avail_out = kRoom;
    const lzma_ret end = lzma_code(stream, LZMA_FINISH);
    if (end != LZMA_STREAM_END) {
        printf("lzma: error %d\n", end);
        exit(1);
    }
    const size_t size = kRoom - stream->avail_out;
    lzma_end(stream);
    return size;
}

static void with_lzma(void) {
    lzma_stream stream = LZMA_STREAM_INIT;
    lzma_mt options = {.threads = kWorkers, .block_size = 256 << 10, .preset = 0, .check = LZMA_CHECK_CRC64};
    if (lzma_stream_encoder_mt(&stream, &options) != LZMA_OK) exit(1);
    const size_t size = run(&stream, text, kText, packed);
    lzma_stream reader = LZMA_STREAM_INIT;
    if (lzma_stream_decoder(&reader, UINT64_MAX, 0) != LZMA_OK) exit(1);
    report("lzma, threads", size, run(&reader, packed, size, unpacked));
}

int main(void) {
    text = room(kText + 32);
    packed = room(kRoom);
    unpacked = room(kRoom);
    make_text();
    with_zlib();
    with_zstd();
    with_lzma();
    return 0;
}

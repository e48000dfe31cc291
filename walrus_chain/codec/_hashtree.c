/* Sliver trees on processors with SHA-256 instructions: the fast half of walrus_chain/codec/hashing.py.
 *
 * hashlib spends more time on entering and leaving than on 256 bytes, and it holds the interpreter's lock. This module
 * hashes whole trees, two nodes at a time so that the two chains of dependent instructions overlap, without the lock.
 *
 * It is optional. Where it cannot be built, or the processor lacks the instructions (then importing it raises
 * ImportError), hashing.py goes on with hashlib; OpenSSL is faster there than portable C would be.
 *
 * Trees are those of docs/spec/03-commitment.md. A leaf is a message of 257 bytes and an inner node one of 65 bytes,
 * each with its tag in front, so all their blocks but the first begin one byte before a multiple of 64.
 */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
#include <Python.h>

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))

#include <cpuid.h>
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define SHA __attribute__((target("sha,ssse3,sse4.1")))
#define INLINE static inline __attribute__((always_inline)) SHA

enum { NODE = 32, CHUNK = 256, BLOCK = 64, LEAF_TAG = 0, INNER_TAG = 1, HEIGHTS = 64 };

static const uint32_t ROUND_CONSTANTS[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* The root of a subtree of which all items are missing, by its height. */
static uint8_t padding[HEIGHTS][NODE];

/* The state of one hash in the order the instructions want it, and the block it takes in next. */
typedef struct {
    __m128i abef, cdgh;
    __m128i words[4];
} Lane;

INLINE __m128i swap_words(__m128i bytes) {
    return _mm_shuffle_epi8(bytes, _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3));
}

INLINE __m128i load(const uint8_t *bytes) { return _mm_loadu_si128((const __m128i *)bytes); }

INLINE void begin(Lane *lane) {
    lane->abef = _mm_set_epi32(0x6a09e667, (int)0xbb67ae85, 0x510e527f, (int)0x9b05688c);
    lane->cdgh = _mm_set_epi32(0x3c6ef372, (int)0xa54ff53a, 0x1f83d9ab, 0x5be0cd19);
}

/* A whole block as it stands in memory. */
INLINE void take_block(Lane *lane, const uint8_t *bytes) {
    for (int i = 0; i < 4; i++) lane->words[i] = swap_words(load(bytes + 16 * i));
}

/* The first block of a tagged message: the tag and 63 bytes. */
INLINE void take_tagged(Lane *lane, uint8_t tag, const uint8_t *bytes) {
    __m128i first = _mm_or_si128(_mm_slli_si128(load(bytes), 1), _mm_cvtsi32_si128(tag));
    lane->words[0] = swap_words(first);
    for (int i = 1; i < 4; i++) lane->words[i] = swap_words(load(bytes + 16 * i - 1));
}

/* The last block of a tagged message that ends one byte after a multiple of 64. */
INLINE void take_end(Lane *lane, uint8_t last, int bits) {
    lane->words[0] = _mm_cvtsi32_si128((int)((uint32_t)last << 24 | 0x800000u));
    lane->words[1] = lane->words[2] = _mm_setzero_si128();
    lane->words[3] = _mm_insert_epi32(_mm_setzero_si128(), bits, 3);
}

/* Work the block of each lane into its state. With `lanes` known to the compiler everything here unrolls. */
INLINE void compress(Lane *lane, const int lanes) {
    __m128i abef[2], cdgh[2], words[2][4];
    for (int l = 0; l < lanes; l++) {
        abef[l] = lane[l].abef;
        cdgh[l] = lane[l].cdgh;
        for (int i = 0; i < 4; i++) words[l][i] = lane[l].words[i];
    }
#pragma GCC unroll 16
    for (int four = 0; four < 16; four++) {
        const __m128i constants = _mm_load_si128((const __m128i *)&ROUND_CONSTANTS[4 * four]);
#pragma GCC unroll 2
        for (int l = 0; l < lanes; l++) {
            __m128i *const word = &words[l][four & 3];
            if (four >= 4) {
                const __m128i before = words[l][(four + 3) & 3];
                const __m128i shifted = _mm_alignr_epi8(before, words[l][(four + 2) & 3], 4);
                const __m128i partial = _mm_sha256msg1_epu32(*word, words[l][(four + 1) & 3]);
                *word = _mm_sha256msg2_epu32(_mm_add_epi32(partial, shifted), before);
            }
            const __m128i sum = _mm_add_epi32(*word, constants);
            cdgh[l] = _mm_sha256rnds2_epu32(cdgh[l], abef[l], sum);
            abef[l] = _mm_sha256rnds2_epu32(abef[l], cdgh[l], _mm_shuffle_epi32(sum, 0x0e));
        }
    }
    for (int l = 0; l < lanes; l++) {
        lane[l].abef = _mm_add_epi32(lane[l].abef, abef[l]);
        lane[l].cdgh = _mm_add_epi32(lane[l].cdgh, cdgh[l]);
    }
}

INLINE void finish(const Lane *lane, uint8_t *node) {
    const __m128i abcd = _mm_shuffle_epi32(_mm_unpackhi_epi64(lane->abef, lane->cdgh), 0xb1);
    const __m128i efgh = _mm_shuffle_epi32(_mm_unpacklo_epi64(lane->abef, lane->cdgh), 0xb1);
    _mm_storeu_si128((__m128i *)node, swap_words(abcd));
    _mm_storeu_si128((__m128i *)(node + 16), swap_words(efgh));
}

/* `lanes` neighbouring messages of a tag and `size` bytes, `size` a multiple of 64, into as many nodes. */
INLINE void hash_tagged(uint8_t tag, const uint8_t *bytes, const size_t size, uint8_t *nodes, const int lanes) {
    Lane lane[2];
    for (int l = 0; l < lanes; l++) {
        begin(&lane[l]);
        take_tagged(&lane[l], tag, bytes + l * size);
    }
    compress(lane, lanes);
    for (size_t at = BLOCK; at < size; at += BLOCK) {
        for (int l = 0; l < lanes; l++) take_block(&lane[l], bytes + l * size + at - 1);
        compress(lane, lanes);
    }
    for (int l = 0; l < lanes; l++) take_end(&lane[l], bytes[l * size + size - 1], (int)(size + 1) * 8);
    compress(lane, lanes);
    for (int l = 0; l < lanes; l++) finish(&lane[l], nodes + l * NODE);
}

/* The leaf over a chunk of fewer than 256 bytes. */
SHA static void hash_short_leaf(const uint8_t *chunk, size_t size, uint8_t *node) {
    uint8_t message[CHUNK + BLOCK] = {LEAF_TAG};
    memcpy(message + 1, chunk, size);
    message[1 + size] = 0x80;
    const size_t blocks = (1 + size + 9 + BLOCK - 1) / BLOCK, bits = (1 + size) * 8;
    message[blocks * BLOCK - 2] = (uint8_t)(bits >> 8);
    message[blocks * BLOCK - 1] = (uint8_t)bits;
    Lane lane;
    begin(&lane);
    for (size_t block = 0; block < blocks; block++) {
        take_block(&lane, message + block * BLOCK);
        compress(&lane, 1);
    }
    finish(&lane, node);
}

/* The leaves over `size` bytes. */
SHA static void hash_leaves(const uint8_t *bytes, size_t size, uint8_t *leaves) {
    for (; size >= 2 * CHUNK; size -= 2 * CHUNK, bytes += 2 * CHUNK, leaves += 2 * NODE)
        hash_tagged(LEAF_TAG, bytes, CHUNK, leaves, 2);
    if (size >= CHUNK) {
        hash_tagged(LEAF_TAG, bytes, CHUNK, leaves, 1);
        size -= CHUNK, bytes += CHUNK, leaves += NODE;
    }
    if (size) hash_short_leaf(bytes, size, leaves);
}

/* The level above `count` nodes of height `height`; `parents` may be where `nodes` are. Gives the number of parents. */
SHA static size_t hash_parents(const uint8_t *nodes, size_t count, int height, uint8_t *parents) {
    const size_t above = (count + 1) / 2;
    for (; count >= 4; count -= 4, nodes += 4 * NODE, parents += 2 * NODE)
        hash_tagged(INNER_TAG, nodes, 2 * NODE, parents, 2);
    if (count >= 2) {
        hash_tagged(INNER_TAG, nodes, 2 * NODE, parents, 1);
        count -= 2, nodes += 2 * NODE, parents += NODE;
    }
    if (count) {
        uint8_t both[2 * NODE];
        memcpy(both, nodes, NODE);
        memcpy(both + NODE, padding[height], NODE);
        hash_tagged(INNER_TAG, both, 2 * NODE, parents, 1);
    }
    return above;
}

static size_t leaf_count(size_t size) { return (size + CHUNK - 1) / CHUNK; }

/* sliver_leaves(sliver) -> bytes */
static PyObject *sliver_leaves(PyObject *module, PyObject *sliver) {
    Py_buffer view;
    (void)module;
    if (PyObject_GetBuffer(sliver, &view, PyBUF_SIMPLE) < 0) return NULL;
    PyObject *leaves = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)leaf_count((size_t)view.len) * NODE);
    if (leaves) {
        uint8_t *nodes = (uint8_t *)PyBytes_AsString(leaves);
        Py_BEGIN_ALLOW_THREADS;
        hash_leaves(view.buf, (size_t)view.len, nodes);
        Py_END_ALLOW_THREADS;
    }
    PyBuffer_Release(&view);
    return leaves;
}

/* parents(nodes, height) -> bytes */
static PyObject *parents(PyObject *module, PyObject *args) {
    Py_buffer view;
    int height;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*i", &view, &height)) return NULL;
    PyObject *above = NULL;
    if (view.len % NODE || height < 0 || height >= HEIGHTS) {
        PyErr_SetString(PyExc_ValueError, "nodes have 32 bytes, heights are 0..63");
    } else if ((above = PyBytes_FromStringAndSize(NULL, (view.len / NODE + 1) / 2 * NODE))) {
        uint8_t *nodes = (uint8_t *)PyBytes_AsString(above);
        Py_BEGIN_ALLOW_THREADS;
        hash_parents(view.buf, (size_t)(view.len / NODE), height, nodes);
        Py_END_ALLOW_THREADS;
    }
    PyBuffer_Release(&view);
    return above;
}

/* The root of the tree over one sliver; `scratch` has room for its leaves. */
static void hash_sliver(const uint8_t *bytes, size_t size, uint8_t *scratch, uint8_t *root) {
    size_t count = leaf_count(size);
    hash_leaves(bytes, size, scratch);
    for (int height = 0; count > 1; height++) count = hash_parents(scratch, count, height, scratch);
    memcpy(root, scratch, NODE);
}

/* sliver_roots(slivers) -> bytes: the roots one after the other. The lock is let go of once, for all of them. */
static PyObject *sliver_roots(PyObject *module, PyObject *slivers) {
    (void)module;
    const Py_ssize_t count = PyList_Check(slivers) ? PyList_Size(slivers) : -1;
    if (count < 0) {
        PyErr_SetString(PyExc_TypeError, "a list of slivers is needed");
        return NULL;
    }
    PyObject *roots = PyBytes_FromStringAndSize(NULL, count * NODE);
    Py_buffer *views = PyMem_Calloc((size_t)count + 1, sizeof(Py_buffer));
    uint8_t *scratch = NULL;
    Py_ssize_t held = 0;
    size_t longest = 0;
    if (!roots || !views) goto failed;
    for (; held < count; held++) {
        if (PyObject_GetBuffer(PyList_GetItem(slivers, held), &views[held], PyBUF_SIMPLE) < 0) goto failed;
        if (!views[held].len) {
            PyErr_SetString(PyExc_ValueError, "a sliver is never empty");
            held++;
            goto failed;
        }
        if ((size_t)views[held].len > longest) longest = (size_t)views[held].len;
    }
    if (!(scratch = PyMem_Malloc(leaf_count(longest) * NODE + 1))) goto failed;
    uint8_t *out = (uint8_t *)PyBytes_AsString(roots);
    Py_BEGIN_ALLOW_THREADS;
    for (Py_ssize_t i = 0; i < count; i++) hash_sliver(views[i].buf, (size_t)views[i].len, scratch, out + i * NODE);
    Py_END_ALLOW_THREADS;
    goto done;
failed:
    if (!PyErr_Occurred()) PyErr_NoMemory();
    Py_CLEAR(roots);
done:
    while (held > 0) PyBuffer_Release(&views[--held]);
    PyMem_Free(views);
    PyMem_Free(scratch);
    return roots;
}

static int has_sha_instructions(void) {
    unsigned a, b, c, d;
    const unsigned ssse3 = 1u << 9, sse41 = 1u << 19, sha = 1u << 29;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & (ssse3 | sse41)) != (ssse3 | sse41)) return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & sha);
}

static PyMethodDef methods[] = {
    {"sliver_leaves", sliver_leaves, METH_O, NULL},
    {"parents", parents, METH_VARARGS, NULL},
    {"sliver_roots", sliver_roots, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static int prepare(PyObject *module) {
    (void)module;
    if (!has_sha_instructions()) {
        PyErr_SetString(PyExc_ImportError, "this processor has no SHA-256 instructions");
        return -1;
    }
    for (int height = 1; height < HEIGHTS; height++) {
        uint8_t both[2 * NODE];
        memcpy(both, padding[height - 1], NODE);
        memcpy(both + NODE, padding[height - 1], NODE);
        hash_parents(both, 2, height - 1, padding[height]);
    }
    return 0;
}

#else

static PyMethodDef methods[] = {{NULL, NULL, 0, NULL}};

static int prepare(PyObject *module) {
    (void)module;
    PyErr_SetString(PyExc_ImportError, "built without SHA-256 instructions: not an x86-64 processor");
    return -1;
}

#endif

static PyModuleDef_Slot slots[] = {{Py_mod_exec, (void *)prepare}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_hashtree", "Sliver trees on processors with SHA-256 instructions.", 0, methods, slots,
    NULL,                  NULL,        NULL,
};

PyMODINIT_FUNC PyInit__hashtree(void) { return PyModuleDef_Init(&definition); }

/* Sliver trees by vector instructions: the fast half of walrus_chain/codec/hashing.py.
 *
 * hashlib spends more time on entering and leaving than on 256 bytes, and it holds the interpreter's lock. This module
 * hashes whole trees, many nodes at a time, without the lock. It is optional: where it is not built, hashing.py uses
 * portable_tree.py, which is hashlib.
 *
 * Nodes of one level do not depend on each other, so they fill the lanes of vectors: 16 with AVX-512, 8 with AVX2, 4
 * with SSE2, which every x86-64 processor has. The SHA instructions take two at a time; they are faster than 8 lanes
 * and slower than 16, and take what is left over of those. Which of them the processor has is asked once, at import.
 *
 * Trees are those of docs/spec/03-commitment.md. A leaf is a message of 257 bytes and an inner node one of 65 bytes,
 * each with its tag in front, so all their blocks but the first begin one byte before a multiple of 64.
 */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
#include <Python.h>

#if defined(__x86_64__) && defined(__GNUC__)

#include <cpuid.h>
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

enum { NODE = 32, CHUNK = 256, BLOCK = 64, LEAF_TAG = 0, INNER_TAG = 1, HEIGHTS = 64 };

static const uint32_t INITIAL_STATE[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static const uint32_t ROUND_CONSTANTS[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t big_endian(const uint8_t *bytes) {
    uint32_t word;
    memcpy(&word, bytes, 4);
    return __builtin_bswap32(word);
}

static inline void put_big_endian(uint8_t *bytes, uint32_t word) {
    word = __builtin_bswap32(word);
    memcpy(bytes, &word, 4);
}

#include "_sha256_instructions.h"

#define LANES 16
#define LANES_TARGET __attribute__((target("avx512f")))
#include "_sha256_lanes.h"

#define LANES 8
#define LANES_TARGET __attribute__((target("avx2")))
#include "_sha256_lanes.h"

#define LANES 4
#define LANES_TARGET
#include "_sha256_lanes.h"

#define LANES 1
#define LANES_TARGET
#include "_sha256_lanes.h"

/* One message, padded already, of `blocks` blocks, by plain arithmetic. */
static void hash_blocks_plain(const uint8_t *message, size_t blocks, uint8_t *node) {
    Words1 state[8], words[16];
    for (int i = 0; i < 8; i++) state[i][0] = INITIAL_STATE[i];
    for (; blocks; blocks--, message += BLOCK) {
        for (int t = 0; t < 16; t++) words[t][0] = big_endian(message + 4 * t);
        compress_1(state, words);
    }
    for (int i = 0; i < 8; i++) put_big_endian(node + 4 * i, state[i][0]);
}

/* How to hash on this processor. */
typedef struct {
    size_t lanes; /* 1 when there is no `wide` */
    void (*wide)(uint8_t tag, const uint8_t *bytes, size_t size, uint8_t *nodes);
    void (*pair)(uint8_t tag, const uint8_t *bytes, size_t size, uint8_t *nodes); /* may be NULL */
    void (*blocks)(const uint8_t *message, size_t blocks, uint8_t *node);
} Plan;

/* Instruction sets beyond SSE2, one bit each. */
enum { AVX512 = 1, SHA_INSTRUCTIONS = 2, AVX2 = 4 };
static const struct {
    const char *name;
    int bit;
} INSTRUCTION_SETS[] = {{"avx512", AVX512}, {"sha", SHA_INSTRUCTIONS}, {"avx2", AVX2}};
enum { SETS = sizeof INSTRUCTION_SETS / sizeof *INSTRUCTION_SETS };

static int available;
static Plan chosen;

static Plan plan_for(int sets) {
    Plan plan = {4, hash_tagged_4, NULL, hash_blocks_plain};
    if (sets & AVX2) plan.lanes = 8, plan.wide = hash_tagged_8;
    if (sets & SHA_INSTRUCTIONS) plan.lanes = 2, plan.wide = plan.pair = hash_tagged_pair, plan.blocks = hash_blocks_sha;
    if (sets & AVX512) plan.lanes = 16, plan.wide = hash_tagged_16;
    return plan;
}

static int instruction_sets(void) {
    unsigned a, b = 0, c, d;
    int sets = 0;
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) sets |= AVX512;
    if (__builtin_cpu_supports("avx2")) sets |= AVX2;
    const unsigned sha = 1u << 29;
    if (__builtin_cpu_supports("sse4.1") && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & sha)) sets |= SHA_INSTRUCTIONS;
    return sets;
}

/* The node over a tag and `size` bytes, at most a chunk. */
static void hash_one(const Plan *plan, uint8_t tag, const uint8_t *bytes, size_t size, uint8_t *node) {
    uint8_t message[CHUNK + BLOCK];
    const size_t blocks = (1 + size + 9 + BLOCK - 1) / BLOCK;
    message[0] = tag;
    memcpy(message + 1, bytes, size);
    message[1 + size] = 0x80;
    memset(message + 2 + size, 0, blocks * BLOCK - size - 2);
    put_big_endian(message + blocks * BLOCK - 4, (uint32_t)(1 + size) * 8);
    plan->blocks(message, blocks, node);
}

/* The nodes over `count` messages of a tag and `size` bytes; `nodes` may be where `bytes` are. */
static void hash_many(const Plan *plan, uint8_t tag, const uint8_t *bytes, size_t size, size_t count, uint8_t *nodes) {
    for (; count >= plan->lanes; count -= plan->lanes, bytes += plan->lanes * size, nodes += plan->lanes * NODE)
        plan->wide(tag, bytes, size, nodes);
    for (; plan->pair && count >= 2; count -= 2, bytes += 2 * size, nodes += 2 * NODE)
        plan->pair(tag, bytes, size, nodes);
    for (; count; count--, bytes += size, nodes += NODE) hash_one(plan, tag, bytes, size, nodes);
}

static size_t leaf_count(size_t size) { return (size + CHUNK - 1) / CHUNK; }

/* The leaves over `size` bytes. */
static void hash_leaves(const Plan *plan, const uint8_t *bytes, size_t size, uint8_t *leaves) {
    const size_t whole = size / CHUNK, rest = size % CHUNK;
    hash_many(plan, LEAF_TAG, bytes, CHUNK, whole, leaves);
    if (rest) hash_one(plan, LEAF_TAG, bytes + whole * CHUNK, rest, leaves + whole * NODE);
}

/* The root of a subtree of which all items are missing, by its height. */
static uint8_t padding[HEIGHTS][NODE];

/* The level above `count` nodes of height `height`; `above` may be where `nodes` are. Gives the number of its nodes. */
static size_t hash_parents(const Plan *plan, const uint8_t *nodes, size_t count, int height, uint8_t *above) {
    const size_t pairs = count / 2;
    hash_many(plan, INNER_TAG, nodes, 2 * NODE, pairs, above);
    if (count % 2) {
        uint8_t both[2 * NODE];
        memcpy(both, nodes + 2 * pairs * NODE, NODE);
        memcpy(both + NODE, padding[height], NODE);
        hash_one(plan, INNER_TAG, both, 2 * NODE, above + pairs * NODE);
    }
    return pairs + count % 2;
}

/* The root of the tree over one sliver; `scratch` has room for its leaves. */
static void hash_sliver(const Plan *plan, const uint8_t *bytes, size_t size, uint8_t *scratch, uint8_t *root) {
    size_t count = leaf_count(size);
    hash_leaves(plan, bytes, size, scratch);
    for (int height = 0; count > 1; height++) count = hash_parents(plan, scratch, count, height, scratch);
    memcpy(root, scratch, NODE);
}

/* sliver_leaves(sliver) -> bytes */
static PyObject *sliver_leaves(PyObject *module, PyObject *sliver) {
    const Plan plan = chosen;
    Py_buffer view;
    (void)module;
    if (PyObject_GetBuffer(sliver, &view, PyBUF_SIMPLE) < 0) return NULL;
    PyObject *leaves = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)leaf_count((size_t)view.len) * NODE);
    if (leaves) {
        uint8_t *nodes = (uint8_t *)PyBytes_AsString(leaves);
        Py_BEGIN_ALLOW_THREADS;
        hash_leaves(&plan, view.buf, (size_t)view.len, nodes);
        Py_END_ALLOW_THREADS;
    }
    PyBuffer_Release(&view);
    return leaves;
}

/* parents(nodes, height) -> bytes */
static PyObject *parents(PyObject *module, PyObject *args) {
    const Plan plan = chosen;
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
        hash_parents(&plan, view.buf, (size_t)(view.len / NODE), height, nodes);
        Py_END_ALLOW_THREADS;
    }
    PyBuffer_Release(&view);
    return above;
}

/* sliver_roots(slivers) -> bytes: the roots one after the other. The lock is let go of once, for all of them. */
static PyObject *sliver_roots(PyObject *module, PyObject *slivers) {
    const Plan plan = chosen;
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
    int ready = roots && views;
    while (ready && held < count) {
        ready = PyObject_GetBuffer(PyList_GetItem(slivers, held), &views[held], PyBUF_SIMPLE) == 0;
        if (!ready) break;
        const size_t size = (size_t)views[held++].len;
        if (size > longest) longest = size;
        if (!size) {
            PyErr_SetString(PyExc_ValueError, "a sliver is never empty");
            ready = 0;
        }
    }
    if (ready && (scratch = PyMem_Malloc(leaf_count(longest) * NODE + 1))) {
        uint8_t *root = (uint8_t *)PyBytes_AsString(roots);
        Py_BEGIN_ALLOW_THREADS;
        for (Py_ssize_t i = 0; i < count; i++, root += NODE)
            hash_sliver(&plan, views[i].buf, (size_t)views[i].len, scratch, root);
        Py_END_ALLOW_THREADS;
    } else {
        if (!PyErr_Occurred()) PyErr_NoMemory();
        Py_CLEAR(roots);
    }
    while (held > 0) PyBuffer_Release(&views[--held]);
    PyMem_Free(views);
    PyMem_Free(scratch);
    return roots;
}

/* instructions() -> tuple[str, ...]: the instruction sets of this processor that are of use here. */
static PyObject *instructions(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    PyObject *names = PyList_New(0);
    for (int i = 0; names && i < SETS; i++) {
        if (!(available & INSTRUCTION_SETS[i].bit)) continue;
        PyObject *name = PyUnicode_FromString(INSTRUCTION_SETS[i].name);
        if (!name || PyList_Append(names, name) < 0) Py_CLEAR(names);
        Py_XDECREF(name);
    }
    PyObject *tuple = names ? PyList_AsTuple(names) : NULL;
    Py_XDECREF(names);
    return tuple;
}

/* use(*names): hash by these instruction sets only from now on. For tests and benchmarks. */
static PyObject *use(PyObject *module, PyObject *names) {
    int sets = 0;
    (void)module;
    for (Py_ssize_t at = 0; at < PyTuple_Size(names); at++) {
        PyObject *name = PyTuple_GetItem(names, at);
        int bit = 0;
        for (int i = 0; PyUnicode_Check(name) && i < SETS; i++)
            if (!PyUnicode_CompareWithASCIIString(name, INSTRUCTION_SETS[i].name)) bit = INSTRUCTION_SETS[i].bit;
        if (!(bit & available)) return PyErr_Format(PyExc_ValueError, "this processor has no %R", name);
        sets |= bit;
    }
    chosen = plan_for(sets);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"sliver_leaves", sliver_leaves, METH_O, NULL},
    {"parents", parents, METH_VARARGS, NULL},
    {"sliver_roots", sliver_roots, METH_O, NULL},
    {"instructions", instructions, METH_NOARGS, NULL},
    {"use", use, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static int prepare(PyObject *module) {
    (void)module;
    available = instruction_sets();
    chosen = plan_for(available);
    for (int height = 1; height < HEIGHTS; height++) {
        uint8_t both[2 * NODE];
        memcpy(both, padding[height - 1], NODE);
        memcpy(both + NODE, padding[height - 1], NODE);
        hash_one(&chosen, INNER_TAG, both, 2 * NODE, padding[height]);
    }
    return 0;
}

#else

static PyMethodDef methods[] = {{NULL, NULL, 0, NULL}};

static int prepare(PyObject *module) {
    (void)module;
    PyErr_SetString(PyExc_ImportError, "sliver trees are compiled for x86-64 only");
    return -1;
}

#endif

static PyModuleDef_Slot slots[] = {{Py_mod_exec, (void *)prepare}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_hashtree", "Sliver trees by vector instructions.", 0, methods, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__hashtree(void) { return PyModuleDef_Init(&definition); }

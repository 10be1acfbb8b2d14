"""How a valid file is spoiled: by bytes, by what its structure means, or by the worst that is known of its kind."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
from collections.abc import Callable
from typing import Any

NUMBERS = (
    0,
    1,
    -1,
    2,
    3,
    127,
    255,
    2**16,
    2**31 - 1,
    2**31,
    2**32,
    2**40,
    2**62,
    2**63 - 1,
    2**64,
    -(2**31),
    10**30,
    0.5,
    1e308,
    -0.0,
)
WORDS = (
    "",
    "\0",
    "x" * 5000,
    "\x1b[31m",
    "\u202e",
    "\ud800",
    "../../etc/passwd",
    "/dev/zero",
    "[MASK]",
    "<s>",
    "{{ 1 }}",
    "é" * 300,
)
OPERATIONS = b"}](KMJ)NRbshqcX\x85\x86\x87\x89\x88.0120Qet\x94\x8c\x95\x96\x8a"
PIECES = (
    "{% for a in range(99999) %}", "{% for m in messages %}", "{% endfor %}", "{{ m.content }}", "{{ messages }}", "{{ 'x' * 9999999 }}",
    "{% set ns = namespace(x=0) %}", "{% set ns.x = ns.x + 1 %}", "{{ ''.__class__ }}", "{% if m.role == 'user' %}", "{% endif %}",
    "{{ raise_exception('no') }}", "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}", "{{ 9 ** 9 ** 9 }}", "{{ x|center(99999999) }}",
    "{{ bos_token }}", "\ufffd", "{% set x = [x, x] %}", "{{ messages|tojson(indent=9999999) }}", "{{ strftime_now('%Y' * 9999) }}", "{%", "}}",
    "{{ (range(99999)|list)|sort|join('x' * 999) }}", "{{ '%9999999999d' % 1 }}", "{% include 'x' %}", "{{ lipsum(9999) }}", "text\n",
)  # fmt: skip


def mutated(content: bytes, how: str, chance: random.Random) -> bytes:
    """`content`, spoiled in one of the ways that fit; the same for the same state of `chance`."""
    if chance.random() < 0.3:
        return _bytes(content, chance)
    return _WAYS[how](content, chance)


def _bytes(content: bytes, chance: random.Random, within: int | None = None) -> bytes:
    raw = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        most = max(1, min(len(raw), within or len(raw)))
        at, length = chance.randrange(most), chance.choice((1, 2, 4, 8, 64, 1000))
        match chance.randrange(8):
            case 0:
                raw[at : at + 1] = bytes([chance.randrange(256)])
            case 1 if raw:
                raw[at % len(raw)] ^= 1 << chance.randrange(8)
            case 2:
                del raw[at:]
            case 3:
                del raw[at : at + length]
            case 4:
                raw[at:at] = raw[at : at + length] * chance.choice((1, 2, 50))
            case 5:
                raw[at : at + 8] = struct.pack(
                    "<Q", chance.choice([n for n in NUMBERS if isinstance(n, int) and 0 <= n < 2**64])
                )
            case 6:
                raw[at : at + 4] = struct.pack("<I", chance.choice((0, 1, 2**16, 2**31 - 1, 2**31, 2**32 - 1)))
            case _:
                raw[at:at] = bytes(chance.randrange(256) for _ in range(length))
    return bytes(raw)


def _json(content: bytes, chance: random.Random) -> bytes:
    try:
        value = json.loads(content)
    except ValueError:
        return _bytes(content, chance)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        value = _changed(value, chance)
    text = json.dumps(value)
    if chance.random() < 0.05:  # what Python writes no other way
        text = text.replace(
            "0", chance.choice(("NaN", "Infinity", "-Infinity", "1" * 5000, '"\\ud800"', "[" * 3000 + "]" * 3000)), 1
        )
    return text.encode()


def _changed(value: Any, chance: random.Random) -> Any:
    """A value somewhere inside is another, gone, or there twice."""
    if isinstance(value, dict) and value and chance.random() < 0.93:
        key = chance.choice(list(value))
        match chance.randrange(10):
            case 0:
                return {name: each for name, each in value.items() if name != key}
            case 1:
                return value | {chance.choice(WORDS): value[key]}
            case 2:
                return value | {chance.choice(list(value)): value[key]}
        return value | {key: _changed(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.9:
        at = chance.randrange(len(value))
        match chance.randrange(8):
            case 0:
                return value[:at]
            case 1:
                return value * chance.choice((2, 3, 500 if len(value) < 50 else 2))
        return [*value[:at], _changed(value[at], chance), *value[at + 1 :]]
    return chance.choice(
        [*NUMBERS, *WORDS, None, True, False, [], {}, [[]] * 9, _nested(chance.choice((3, 50, 400))), {"a": 1}]
    )


def _nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


def _header(content: bytes, chance: random.Random) -> bytes:
    """Of safetensors the JSON before the numbers; of GGUF the bytes in its place."""
    length = int.from_bytes(content[:8], "little")
    if content.startswith(b"GGUF") or length > len(content):
        return _bytes(content, chance, within=chance.choice((40, 400, 4000)))
    header = _json(content[8 : 8 + length], chance)
    said = len(header) if chance.random() < 0.9 else chance.choice((0, 1, 2**20, 2**32, 2**63))
    return said.to_bytes(8, "little") + header + content[8 + length :]


def _pickle(content: bytes, chance: random.Random) -> bytes:
    """The pickle inside the archive: other operations, names and numbers."""
    written = io.BytesIO()
    packing = chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(written, "w", packing) as new:
        for member in old.infolist():
            raw = old.read(member)
            if member.filename.endswith("data.pkl"):
                raw = _operations(raw, chance)
            elif chance.random() < 0.03:
                raw = raw[: chance.randrange(len(raw) + 1)]
            new.writestr(member.filename, raw)
    return written.getvalue()


def _operations(raw: bytes, chance: random.Random) -> bytes:
    names = (
        b"os\nsystem\n",
        b"builtins\neval\n",
        b"builtins\nbytearray\n",
        b"collections\nCounter\n",
        b"torch\nSize\n",
        b"torch\nFloatStorage\n",
    )
    for _ in range(chance.choice((1, 1, 2, 5))):
        at = chance.randrange(len(raw))
        match chance.randrange(5):
            case 0:
                raw = raw[:at] + bytes([chance.choice(OPERATIONS)]) + raw[at + 1 :]
            case 1:
                raw = (
                    raw[:at]
                    + b"c"
                    + chance.choice(names)
                    + b"\x8a\x05"
                    + (6 * 2**30).to_bytes(5, "little")
                    + b"\x85R"
                    + raw[at:]
                )
            case 2:
                raw = raw.replace(b"cpu", chance.choice((b"cuda", b"meta", b"\xff\xff", b"x" * 3)), 1)
            case 3:
                raw = raw.replace(b"K", b"J" + struct.pack("<i", chance.choice((-1, 0, 2**31 - 1))) + b"0K", 1)
            case _:
                raw = _bytes(raw, chance)
                raw = raw or b"."
    return raw


def _template(_content: bytes, chance: random.Random) -> bytes:
    return "".join(chance.choice(PIECES) for _ in range(chance.randrange(1, 12))).encode("utf-8", errors="replace")


def _ini(content: bytes, chance: random.Random) -> bytes:
    lines = content.split(b"\n")
    at = chance.randrange(len(lines))
    key = lines[at].partition(b"=")[0]
    values = (
        b"",
        b"@Variant(\\0\\0\\0\\x7f)",
        b"@ByteArray(\\xff\\xff)",
        b"@Invalid()",
        b"-1",
        b"1" * 400,
        b'"' + b"x" * 5000,
        b"\xff\xfe",
    )
    lines[at] = key + b"=" + chance.choice((*values, bytes(chance.randrange(256) for _ in range(50))))
    return b"\n".join(lines)


_WAYS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "bytes": _bytes,
    "json": _json,
    "header": _header,
    "pickle": _pickle,
    "template": _template,
    "ini": _ini,
}

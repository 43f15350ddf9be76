//! The opcodes, with the names that CPython's `pickletools` gives them.
//!
//! An argument follows its opcode: numbers little-endian, `FLOAT` apart; text ends with a newline.

macro_rules! opcodes {
    ($($name:ident $byte:literal $doc:literal;)*) => {$(
        #[doc = $doc]
        pub const $name: u8 = $byte;
    )*};
}

opcodes! {
    MARK b'(' "Marks the top of the stack.";
    STOP b'.' "The end; the value is on the stack.";
    POP b'0' "Drops the top value, or a mark.";
    POP_MARK b'1' "Drops everything down to the last mark, and the mark.";
    DUP b'2' "The top value once more.";
    FLOAT b'F' "float, as text.";
    INT b'I' "int, or bool as `00` and `01`, as text.";
    BININT b'J' "int of 4 bytes, signed.";
    BININT1 b'K' "int of 1 byte.";
    LONG b'L' "int, as text with an L.";
    BININT2 b'M' "int of 2 bytes.";
    NONE b'N' "None.";
    PERSID b'P' "What a persistent id stands for, as text.";
    BINPERSID b'Q' "What a persistent id stands for, from the stack.";
    REDUCE b'R' "Calls a callable with a tuple.";
    STRING b'S' "str of Python 2, quoted text.";
    BINSTRING b'T' "str of Python 2, length of 4 bytes.";
    SHORT_BINSTRING b'U' "str of Python 2, length of 1 byte.";
    UNICODE b'V' "str, as text, raw-unicode-escaped.";
    BINUNICODE b'X' "str in UTF-8, length of 4 bytes.";
    APPEND b'a' "Appends the top value to the list below it.";
    BUILD b'b' "Gives an object its state.";
    GLOBAL b'c' "A class or function by module and name, two lines of text.";
    DICT b'd' "dict of what lies above the mark.";
    EMPTY_DICT b'}' "dict.";
    APPENDS b'e' "Appends what lies above the mark to the list below it.";
    GET b'g' "From the memo, index as text.";
    BINGET b'h' "From the memo, index of 1 byte.";
    INST b'i' "An instance of a class, module and name as two lines.";
    LONG_BINGET b'j' "From the memo, index of 4 bytes.";
    LIST b'l' "list of what lies above the mark.";
    EMPTY_LIST b']' "list.";
    OBJ b'o' "An instance of a class that lies above the mark.";
    PUT b'p' "Into the memo, index as text.";
    BINPUT b'q' "Into the memo, index of 1 byte.";
    LONG_BINPUT b'r' "Into the memo, index of 4 bytes.";
    SETITEM b's' "Puts a key and a value into the dict below them.";
    TUPLE b't' "tuple of what lies above the mark.";
    EMPTY_TUPLE b')' "tuple.";
    SETITEMS b'u' "Puts keys and values above the mark into the dict below it.";
    BINFLOAT b'G' "float of 8 bytes, big-endian.";
    PROTO 0x80 "The protocol, 1 byte.";
    NEWOBJ 0x81 "An object from a class and a tuple.";
    EXT1 0x82 "A registered class, 1 byte.";
    EXT2 0x83 "A registered class, 2 bytes.";
    EXT4 0x84 "A registered class, 4 bytes.";
    TUPLE1 0x85 "tuple of the top value.";
    TUPLE2 0x86 "tuple of the top two.";
    TUPLE3 0x87 "tuple of the top three.";
    NEWTRUE 0x88 "True.";
    NEWFALSE 0x89 "False.";
    LONG1 0x8a "int, two's complement, length of 1 byte.";
    LONG4 0x8b "int, two's complement, length of 4 bytes.";
    BINBYTES b'B' "bytes, length of 4 bytes.";
    SHORT_BINBYTES b'C' "bytes, length of 1 byte.";
    SHORT_BINUNICODE 0x8c "str in UTF-8, length of 1 byte.";
    BINUNICODE8 0x8d "str in UTF-8, length of 8 bytes.";
    BINBYTES8 0x8e "bytes, length of 8 bytes.";
    EMPTY_SET 0x8f "set.";
    ADDITEMS 0x90 "Adds what lies above the mark to the set below it.";
    FROZENSET 0x91 "frozenset of what lies above the mark.";
    NEWOBJ_EX 0x92 "An object from a class, a tuple and a dict.";
    STACK_GLOBAL 0x93 "A class or function by module and name, from the stack.";
    MEMOIZE 0x94 "Into the memo, at its end.";
    FRAME 0x95 "A frame begins, length of 8 bytes.";
    BYTEARRAY8 0x96 "bytearray, length of 8 bytes.";
    NEXT_BUFFER 0x97 "The next out-of-band buffer.";
    READONLY_BUFFER 0x98 "Makes the top value read-only.";
}

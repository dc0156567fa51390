;; Wants 4 GiB, and breaks when it does not get them.
(module
  (memory (export "memory") 1)
  (func (export "jackfield:call/story@0.1.0#run") (result i32)
    (if (i32.eq (memory.grow (i32.const 65535)) (i32.const -1)) (then unreachable))
    (i32.const 64))
)

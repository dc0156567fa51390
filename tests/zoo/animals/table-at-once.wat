;; Wants a table of four thousand million elements, and breaks when it does not get it.
(module
  (memory (export "memory") 1)
  (table $t 1 funcref)
  (func (export "jackfield:call/story@0.1.0#run") (result i32)
    (if (i32.eq (table.grow $t (ref.null func) (i32.const -2)) (i32.const -1)) (then unreachable))
    (i32.const 64))
)

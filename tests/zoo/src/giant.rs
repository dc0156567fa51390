//! Components whose vice is their size. Not one of them runs calls; who refuses them for that alone has compiled too much.

use wasm_encoder::{
    CodeSection, Component, Encode, ExportKind, ExportSection, Function, FunctionSection,
    Instruction, MemorySection, MemoryType, Module, ModuleSection, RawSection, TypeSection,
    ValType,
};

/// Section of component types, and the first byte of the type of a component.
const COMPONENT_TYPES: u8 = 7;
const COMPONENT_TYPE: u8 = 0x41;
/// A declaration that is a type.
const TYPE_DECLARATION: u8 = 1;

fn of_module(module: &Module) -> Vec<u8> {
    let mut component = Component::new();
    component.section(&ModuleSection(module));
    component.finish()
}

/// One module with as many types.
#[must_use]
pub fn types(count: u32) -> Vec<u8> {
    let mut types = TypeSection::new();
    for _ in 0..count {
        types.ty().function([], []);
    }
    let mut module = Module::new();
    module.section(&types);
    of_module(&module)
}

/// One module with as many functions, each with so many local variables and so many bytes of arithmetic, whose values
/// all live at the same time where `tangled`.
#[must_use]
pub fn functions(count: u32, locals: u32, bytes: usize, tangled: bool) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32], [ValType::I32]);
    let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
    let body = body(locals, bytes, tangled);
    for _ in 0..count {
        functions.function(0);
        code.function(&body);
    }
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&code);
    of_module(&module)
}

fn body(locals: u32, bytes: usize, tangled: bool) -> Function {
    let mut body = Function::new([(locals, ValType::I32)]);
    body.instruction(&Instruction::LocalGet(0));
    let mut pushed = 0_u32;
    // A round is seven bytes.
    for round in 0..bytes / 7 {
        body.instruction(&Instruction::LocalGet(0));
        body.instruction(&Instruction::I32Const(
            i32::try_from(round % 60).expect("less than 60"),
        ));
        body.instruction(&Instruction::I32Add);
        if tangled && pushed < 1_000 {
            pushed += 1;
        } else {
            body.instruction(&Instruction::I32Mul);
            body.instruction(&Instruction::LocalTee(0));
        }
    }
    for _ in 0..pushed {
        body.instruction(&Instruction::I32Xor);
    }
    body.instruction(&Instruction::End);
    body
}

/// One function with blocks in blocks.
#[must_use]
pub fn blocks(depth: usize) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut body = Function::new([]);
    for _ in 0..depth {
        body.instruction(&Instruction::Block(wasm_encoder::BlockType::Empty));
    }
    for _ in 0..=depth {
        body.instruction(&Instruction::End);
    }
    let mut code = CodeSection::new();
    code.function(&body);
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&code);
    of_module(&module)
}

/// One module with as many memories.
#[must_use]
pub fn memories(count: u32) -> Vec<u8> {
    let mut memories = MemorySection::new();
    for _ in 0..count {
        memories.memory(MemoryType {
            minimum: 1,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
    }
    let mut module = Module::new();
    module.section(&memories);
    of_module(&module)
}

/// One module that exports its memory as often.
#[must_use]
pub fn exports(count: u32) -> Vec<u8> {
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut exports = ExportSection::new();
    for number in 0..count {
        exports.export(&number.to_string(), ExportKind::Memory, 0);
    }
    let mut module = Module::new();
    module.section(&memories).section(&exports);
    of_module(&module)
}

/// As many empty modules.
#[must_use]
pub fn modules(count: u32) -> Vec<u8> {
    let mut component = Component::new();
    for _ in 0..count {
        component.section(&ModuleSection(&Module::new()));
    }
    component.finish()
}

/// A component in a component in a component.
#[must_use]
pub fn nested(depth: usize) -> Vec<u8> {
    let mut component = Component::new();
    for _ in 1..depth {
        let mut outer = Component::new();
        outer.section(&wasm_encoder::NestedComponentSection(&component));
        component = outer;
    }
    component.finish()
}

/// One type in a type in a type: three bytes for each, and a call for each to whoever reads them by recursion.
#[must_use]
pub fn deep_type(depth: usize) -> Vec<u8> {
    let mut data = vec![1];
    for _ in 0..depth {
        data.extend([COMPONENT_TYPE, 1, TYPE_DECLARATION]);
    }
    data.extend([COMPONENT_TYPE, 0]);
    let mut component = Component::new();
    component.section(&RawSection {
        id: COMPONENT_TYPES,
        data: &data,
    });
    component.finish()
}

/// A section that says that it is longer than the component.
#[must_use]
pub fn lying_section() -> Vec<u8> {
    let mut component = Component::new().finish();
    component.push(COMPONENT_TYPES);
    u32::MAX.encode(&mut component);
    component
}

package dev.rote;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import dev.rote.train.Trainer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Reads the engine's class files: its packages import each other one way only, native calls stay in devices, and there
/// is no output, no exit and no state outside objects.
class ImportsTest {
    private static final String OURS = "dev.rote.";
    private static final String BINDINGS = "bindings";

    /// What each package may import of ours, lowest first. A package may only name packages above its own line.
    private static final Map<String, Set<String>> MAY_IMPORT = mayImport();

    /// Libraries that stay in one room: the beginning of their class names, and who may use them.
    private static final Map<String, Predicate<String>> ROOMS = Map.of(
            "org.lwjgl.", "data"::equals,
            "org.ejml.", "metrics"::equals,
            "jcuda.", "device.cuda"::equals,
            "java.lang.foreign.Linker", ImportsTest::isDevice,
            "java.lang.foreign.SymbolLookup", ImportsTest::isDevice,
            "java.lang.foreign.FunctionDescriptor", ImportsTest::isDevice);

    /// Collections by their classes, counters, locks, pools, caches, generators and streams.
    private static final Pattern MADE_TO_CHANGE = Pattern.compile(
            "java\\.util\\.(concurrent\\..*|.+(Map|Set|List|Deque|Queue)|.*Random.*|Vector|Stack|Properties|BitSet)"
                    + "|java\\.lang\\.(ThreadLocal|StringBuilder|StringBuffer|Thread|ref\\..*)|java\\.io\\..*");

    private static JavaClasses engine;

    private static Map<String, Set<String>> mayImport() {
        Map<String, Set<String>> table = new LinkedHashMap<>();
        table.put(BINDINGS, Set.of());
        table.put("errors", Set.of());
        table.put("graph", Set.of());
        table.put("random", Set.of());
        table.put("reference", Set.of("graph", "random"));
        table.put("storage", Set.of("errors"));
        table.put("config", Set.of("errors"));
        table.put("data", Set.of("errors", "random"));
        table.put("device", Set.of("errors", "graph"));
        table.put("device.cpu", Set.of(BINDINGS, "errors", "graph", "random", "device"));
        table.put("device.cuda", Set.of(BINDINGS, "errors", "graph", "random", "device"));
        table.put("device.linalg", Set.of("errors", "device"));
        table.put("metrics", Set.of("errors", "graph", "device"));
        table.put("nn", Set.of("errors", "graph", "random", "storage"));
        table.put("diffusion", Set.of("graph", "random"));
        table.put("optim", Set.of("graph", "nn"));
        table.put("theory", Set.of("graph", "random", "device", "device.linalg", "optim"));
        table.put(
                "train",
                Set.of("errors", "graph", "random", "storage", "config", "data", "device", "nn", "diffusion", "optim"));
        table.put(
                "measure",
                Set.of(
                        "errors",
                        "graph",
                        "random",
                        "storage",
                        "config",
                        "data",
                        "metrics",
                        "device",
                        "nn",
                        "diffusion",
                        "optim",
                        "train"));
        return table;
    }

    private static boolean isDevice(String room) {
        return room.startsWith("device.");
    }

    @BeforeAll
    static void readClassFiles() {
        engine = new ClassFileImporter()
                .importUrl(Trainer.class.getProtectionDomain().getCodeSource().getLocation());
        assertThat(engine.contain(Trainer.class)).isTrue();
    }

    @Test
    void theTableItselfPointsOneWay() {
        Set<String> lower = new TreeSet<>();
        MAY_IMPORT.forEach((room, allowed) -> {
            assertThat(lower).as("what %s may import stands before it", room).containsAll(allowed);
            lower.add(room);
        });
    }

    @Test
    void everyPackageOfTheEngineIsInTheTable() {
        assertThat(engine)
                .isNotEmpty()
                .allSatisfy(each -> assertThat(MAY_IMPORT).as(each.getName()).containsKey(room(each)));
    }

    @Test
    void packagesImportOnlyWhatStandsBelowThem() {
        List<String> backward = dependencies()
                .filter(each -> {
                    String from = room(each.getOriginClass());
                    String to = room(each.getTargetClass());
                    return each.getTargetClass().getName().startsWith(OURS)
                            && !from.equals(to)
                            && !MAY_IMPORT.getOrDefault(from, Set.of()).contains(to);
                })
                .map(Dependency::getDescription)
                .toList();
        assertThat(backward).as("dependencies that point backward").isEmpty();
    }

    @Test
    void nativeCallsAndLibrariesStayInTheirRooms() {
        List<String> strays = dependencies()
                .filter(each -> ROOMS.entrySet().stream()
                        .anyMatch(entry -> each.getTargetClass().getName().startsWith(entry.getKey())
                                && !entry.getValue().test(room(each.getOriginClass()))))
                .map(Dependency::getDescription)
                .toList();
        assertThat(strays).as("uses of a library outside its room").isEmpty();
    }

    @Test
    void nothingPrintsOrEndsTheProcess() {
        List<String> found = accesses()
                .filter(each -> {
                    String call = each.getTargetOwner().getName() + "."
                            + each.getTarget().getName();
                    return call.matches("java\\.lang\\.System\\.(out|err|exit|console|setProperty|setOut|setErr)"
                                    + "|java\\.lang\\.Runtime\\.(exit|halt|addShutdownHook)")
                            || call.endsWith(".printStackTrace");
                })
                .map(JavaAccess::getDescription)
                .toList();
        assertThat(found).as("output and exits").isEmpty();
    }

    @Test
    void nativeLibrariesAreLoadedByDevicesOnly() {
        List<String> found = accesses()
                .filter(each -> each.getTargetOwner().isEquivalentTo(System.class)
                        && each.getTarget().getName().startsWith("load")
                        && !isDevice(room(each.getOriginOwner())))
                .map(JavaAccess::getDescription)
                .toList();
        assertThat(found).as("native libraries loaded outside a device").isEmpty();
    }

    @Test
    void noStaticFieldChanges() {
        List<String> found = engine.stream()
                .flatMap(each -> each.getFields().stream())
                .filter(field -> field.getModifiers().contains(JavaModifier.STATIC)
                        && !field.getModifiers().contains(JavaModifier.FINAL))
                .map(JavaField::getFullName)
                .toList();
        assertThat(found).as("static fields that are not final").isEmpty();
    }

    /// A static final field may still hold something that changes.
    @Test
    void noStaticFieldHoldsAnObjectThatIsMadeToChange() {
        List<String> found = engine.stream()
                .flatMap(each -> each.getFields().stream())
                .filter(field -> field.getModifiers().contains(JavaModifier.STATIC))
                .filter(field ->
                        MADE_TO_CHANGE.matcher(field.getRawType().getName()).matches())
                .map(JavaField::getFullName)
                .toList();
        assertThat(found).as("static fields with state").isEmpty();
    }

    private static Stream<Dependency> dependencies() {
        return engine.stream().flatMap(each -> each.getDirectDependenciesFromSelf().stream());
    }

    private static Stream<JavaAccess<?>> accesses() {
        return engine.stream().flatMap(each -> each.getAccessesFromSelf().stream());
    }

    /// `device.cpu` for a class in `dev.rote.device.cpu`; `bindings` for all packages of bindings.
    private static String room(JavaClass type) {
        String name = type.getPackageName();
        String room = name.startsWith(OURS) ? name.substring(OURS.length()) : name;
        return room.startsWith(BINDINGS + ".") ? BINDINGS : room;
    }
}

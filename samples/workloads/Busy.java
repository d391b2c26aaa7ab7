// Java that the JIT compiles: recursion, interfaces, lambdas, strings. Run: java -XX:+PreserveFramePointer Busy.java CPU_SECONDS
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongUnaryOperator;

public class Busy {
    interface Shape { double area(int rounds); }

    record Circle(double radius) implements Shape {
        public double area(int rounds) {
            double total = 0;
            for (int i = 1; i < rounds; i++) total += radius / i * radius;
            return total;
        }
    }

    static long fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

    static long apply(LongUnaryOperator step, long x) {
        for (int i = 0; i < 2000; i++) x = step.applyAsLong(x);
        return x;
    }

    static long round(int i) {
        List<String> words = new ArrayList<>();
        for (int k = 0; k < 200; k++) words.add("word " + (k * 7919L + i) % 1009);
        words.sort((a, b) -> b.compareTo(a));
        Shape shape = new Circle(words.size());
        return words.get(0).hashCode() + fib(14) + apply(x -> x * 6364136223846793005L + 1, i) + (long) shape.area(3000);
    }

    public static void main(String[] arguments) throws Exception {
        double seconds = arguments.length > 0 ? Double.parseDouble(arguments[0]) : 1;
        long end = System.nanoTime() + (long) (seconds * 1e9), total = 0;
        for (int i = 0; System.nanoTime() < end; i++) total += round(i);
        System.out.println(total);
    }
}
